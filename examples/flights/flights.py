"""The flights of the example: the sample as it is shipped, its columns, and its months."""

from pathlib import Path

import pandas as pd

SOURCE = Path(__file__).parent / "flights.parquet"
CLOCK = ["carrier", "airport", "hour", "distance"]
WEATHER = ["temp", "wind_speed", "precip", "visib", "pressure"]
INPUTS = CLOCK + WEATHER
DECLARED = {
    "carrier": "text",
    "airport": "category(EWR, JFK, LGA)",
    "hour": "integer",
    "distance": "integer",
    **dict.fromkeys(WEATHER, "number?"),
}
LATE, ON_TIME = "late", "ontime"
MONTHS = range(1, 13)
TRAINING = range(1, 4)


def load() -> pd.DataFrame:
    """All 4,800 flights with a key of their own; `late` is missing where a flight was cancelled or diverted."""
    flights = pd.read_parquet(SOURCE).rename(columns={"origin": "airport"})
    flights[WEATHER] = flights[WEATHER].round(5)
    date = flights["month"].map("2013-{:02d}".format) + flights["day"].map("-{:02d}".format)
    number = flights["carrier"] + flights["flight"].astype(str)
    flights["flight_id"] = (
        date + "-" + number + "-" + flights["airport"] + flights["sched_dep_time"].map("-{:04d}".format)
    )
    if flights["flight_id"].duplicated().any():
        raise ValueError("two flights have one key")
    return flights


def training(flights: pd.DataFrame) -> pd.DataFrame:
    """What every candidate is trained on: the flights of January to March of which it is known how late they were."""
    known = flights["month"].isin(list(TRAINING)) & flights["late"].notna()
    return flights[known].reset_index(drop=True)


def month(flights: pd.DataFrame, number: int) -> pd.DataFrame:
    return flights[flights["month"] == number].reset_index(drop=True)


def name(number: int) -> str:
    """The id of a month's batch."""
    return f"2013-{number:02d}"
