"""Commands of ratings: keep what users thought of answers, and list it."""

from pathlib import Path
from typing import Any

import click

from ml_regress.cli.output import json_option, known, opened, print_json, print_table, speaking, words, workspace_option
from ml_regress.core.given_rating import GivenRating
from ml_regress.core.pattern_fields import answer_text
from ml_regress.core.rating import STARS, THUMBS, Rating
from ml_regress.engine import rating as rating_engine

USUAL = 20
_SHOWN = 60  # characters of inputs in a table


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--input", "inputs", metavar="NAME=VALUE", multiple=True, help="An input; may be given again.")
@click.option("--prediction", metavar="TEXT", help="What was answered.")
@click.option("--thumb", type=click.Choice(THUMBS), help="Either this or stars.")
@click.option("--stars", type=click.IntRange(STARS[0], STARS[-1]), help="Either these or a thumb.")
@click.option("--words", "said", metavar="TEXT", default="", help="What the user said.")
@click.option("--candidate", metavar="ID", help="Whose answer it is; otherwise production.")
@click.option("--by", "person", metavar="NAME", default="", help="Who rates: it is kept.")
@click.option("--batch", metavar="ID", help="The batch of the row that is rated.")
@click.option("--key", metavar="TEXT", help="The key of this row; inputs and prediction are then read from it.")
@json_option
@workspace_option
@speaking
def rate(  # noqa: PLR0917 - click calls it with keywords
    file: Path | None,
    inputs: tuple[str, ...],
    prediction: str | None,
    thumb: str | None,
    stars: int | None,
    said: str,
    candidate: str | None,
    person: str,
    batch: str | None,
    key: str | None,
    as_json: bool,
    folder: Path | None,
) -> None:
    """Keep what a user thought of one answer, or of the answers in FILE (a table with a column an input, and the
    columns prediction, thumb or stars, words, candidate, person, batch, key).

    A rating changes no score. A low one may become a proposal.
    """
    single = {"--input": inputs, "--prediction": prediction, "--thumb": thumb, "--stars": stars, "--words": said,
              "--key": key}  # fmt: skip
    stray = [name for name, value in single.items() if value not in (None, "", ())]
    if file is not None and stray:
        raise click.UsageError(f"a FILE has these in its columns: leave out {', '.join(stray)}")
    workspace = opened(folder)
    given = GivenRating(
        inputs=rating_engine.inputs_of(inputs) or None,
        prediction=prediction,
        thumb=thumb,
        stars=stars,
        words=said,
        candidate=candidate,
        person=person,
        batch=batch,
        key=key,
        texts=True,
    )
    if file is not None:
        made = rating_engine.rate_file(workspace, file, given, actor="command")
    else:
        made = [rating_engine.rate(workspace, given, source="command line", actor="command")]
    if as_json:
        print_json([_facts(each) for each in made])
    elif file is not None:
        low = sum(each.low for each in made)
        click.echo(f"{len(made)} ratings are kept, {low} of them low; no score changed")
    else:
        click.echo(f"rating {made[0].number} of {made[0].candidate}: {made[0].shown}; no score changed")


@click.command()
@click.option("--low", is_flag=True, help="Only complaints: a thumb down, or at most 2 stars.")
@click.option("--candidate", metavar="ID", help="Only those of this candidate.")
@click.option("--limit", type=click.IntRange(min=1), default=USUAL, show_default=True, help="At most so many.")
@json_option
@workspace_option
@speaking
def ratings(low: bool, candidate: str | None, limit: int, as_json: bool, folder: Path | None) -> None:
    """List ratings, newest first."""
    store = opened(folder).store
    if candidate is not None:
        known(candidate, [entry.id for entry in store.candidates.all(archived=True)], "candidate")
    rows = [_facts(each) for each in store.ratings.all(low=low, candidate=candidate, limit=limit)]
    if as_json:
        print_json(rows)
        return
    shown = [{**row, "inputs": _short(words(row["inputs"])), "prediction": answer_text(row["prediction"])}
             for row in rows]  # fmt: skip
    columns = ("number", "at", "candidate", "rating", "prediction", "words", "person", "batch", "key", "inputs")
    print_table(columns, shown, "no low rating" if low else "nobody rated an answer yet")


def _facts(rating: Rating) -> dict[str, Any]:
    return {**vars(rating), "inputs": dict(rating.inputs), "rating": rating.shown, "low": rating.low}


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
