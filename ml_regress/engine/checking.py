"""The checks of several batches, one after the other: what goes wrong with one is its reason, and the others go on."""

import logging
from collections.abc import Iterable, Iterator

from ml_regress.core.batch import Batch
from ml_regress.engine.production import Checked, check_batch, not_checked
from ml_regress.engine.workspace import Workspace
from ml_regress.predictors.host import PredictorHost

_logger = logging.getLogger(__name__)


def check_each(workspace: Workspace, batches: Iterable[Batch], *, again: bool = False) -> Iterator[Checked]:
    """The check of each batch as soon as it is made; candidates are opened once for all of them.

    A batch whose check raised, or that is quarantined, has reports that say why and are not stored: it stays due.
    """
    with PredictorHost() as host:
        for batch in batches:
            if not batch.usable:
                yield not_checked(batch, f"the batch is quarantined: {'; '.join(batch.reasons)}")
                continue
            try:
                checked = check_batch(workspace, batch.id, again=again, host=host)
            except Exception as error:  # where the store is away, whoever reads it next raises again
                _logger.exception("the check of batch %s failed", batch.id)
                checked = not_checked(batch, f"the check failed: {type(error).__name__}: {error}")
            yield checked
