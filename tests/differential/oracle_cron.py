"""A slow, plain reading of schedules: it steps through time and asks of each moment whether the
clock on the wall shows what the expression names. It shares nothing with the engine but the rules
of docs/time.md."""

from __future__ import annotations

import calendar
import datetime
import functools
import zoneinfo

MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
DAYS = "SUN MON TUE WED THU FRI SAT".split()
DAY = 86400


def number(text: str, names: list[str], low: int) -> int:
    return names.index(text.upper()) + low if text.upper() in names else int(text)


def expand(item: str, low: int, high: int, names: list[str], wraps: bool) -> list[int]:
    """The values of one list item; 7 is a value of the standard day of the week."""
    body, _, step = item.partition("/")
    width = int(step) if step else 1
    if body in ("*", "?"):
        first, last = low, high
    elif "-" in body:
        left, right = body.split("-")
        first, last = number(left, names, low), number(right, names, low)
        if names is DAYS and low == 0 and right.upper() == "SUN" and first > 0:
            last = 7
    else:
        first = number(body, names, low)
        last = first
        if step:
            first, last = (low if first > high else first), high
    if last < first:
        assert wraps, item
        return [(value - low) % (high - low + 1) + low
                for value in range(first, last + high - low + 2, width)]
    return list(range(first, last + 1, width))


class Expression:
    """What an expression says; `matches` is asked second by second."""

    def __init__(self, text: str, dialect: str = "standard") -> None:
        fields = text.split()
        self.quartz = dialect == "quartz"
        if len(fields) == 5:
            fields = ["0", *fields]
        self.years = None
        if len(fields) == 7:
            self.years = self.values(fields[6], 1970, 2099, [])
        second, minute, hour, self.day, month, weekday = fields[:6]
        self.fixed = not minute.startswith("*") and not hour.startswith("*")
        self.with_seconds = second != "0"
        self.seconds = self.values(second, 0, 59, [])
        self.minutes = self.values(minute, 0, 59, [])
        self.hours = self.values(hour, 0, 23, [])
        self.months = self.values(month, 1, 12, MONTHS)
        self.both = weekday.startswith("+")
        self.weekday = weekday.removeprefix("+")
        self.date_matches = functools.lru_cache(maxsize=100000)(self.date_matches_slowly)

    def values(self, field: str, low: int, high: int, names: list[str]) -> set[int]:
        return {value for item in field.split(",")
                for value in expand(item, low, high, names, self.quartz)}

    def is_day(self, date: datetime.date, item: str) -> bool:
        """Whether one item of the day of the month names the date."""
        length = calendar.monthrange(date.year, date.month)[1]
        if item == "LW":
            last = max(day for day in range(1, length + 1)
                       if date.replace(day=day).weekday() < 5)
            return date.day == last
        if item.startswith("L"):
            return date.day == length - int(item[2:] or 0)
        if item.endswith("W"):
            wanted = int(item[:-1])
            if wanted > length:
                return False
            week = [day for day in range(1, length + 1) if date.replace(day=day).weekday() < 5]
            distance = min(abs(day - wanted) for day in week)
            near = [day for day in week if abs(day - wanted) == distance]
            assert len(near) == 1
            return date.day == near[0]
        return date.day in expand(item, 1, 31, [], self.quartz)

    def is_weekday(self, date: datetime.date, item: str) -> bool:
        low = 1 if self.quartz else 0
        today = (date.weekday() + 1) % 7
        if "#" in item:
            name, which = item.split("#")
            wanted = (number(name, DAYS, low) - low) % 7
            return today == wanted and (date.day + 6) // 7 == int(which)
        if item.upper() == "L":
            return today == 6
        if item.upper().endswith("L"):
            length = calendar.monthrange(date.year, date.month)[1]
            return today == (number(item[:-1], DAYS, low) - low) % 7 and date.day + 7 > length
        high = 7 if self.quartz else 6
        return today in {(value - low) % 7 for value in expand(item, low, high, DAYS, self.quartz)}

    def date_matches_slowly(self, date: datetime.date) -> bool:
        if date.month not in self.months or (self.years and date.year not in self.years):
            return False
        days, weekdays = self.day.split(","), self.weekday.split(",")
        by_date = any(self.is_day(date, item) for item in days)
        by_weekday = any(self.is_weekday(date, item) for item in weekdays)
        free = {"*", "?"}
        restricted = not free & set(days) and not free & set(weekdays)
        return by_date or by_weekday if restricted and not self.both else by_date and by_weekday

    def matches(self, local: int) -> bool:
        """Local seconds since 1970."""
        if local % 60 not in self.seconds or local // 60 % 60 not in self.minutes:
            return False
        return local // 3600 % 24 in self.hours and self.date_matches(date_of(local))

    def hour_may_match(self, local: int) -> bool:
        return local // 3600 % 24 in self.hours and self.date_matches(date_of(local))


@functools.lru_cache(maxsize=100000)
def date_of_day(day: int) -> datetime.date:
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=day)


def date_of(local: int) -> datetime.date:
    return date_of_day(local // DAY)


class Wall:
    """The clock on the wall of one zone."""

    def __init__(self, name: str) -> None:
        self.info = zoneinfo.ZoneInfo(name)

    def local(self, at: int) -> int:
        moment = datetime.datetime.fromtimestamp(at, self.info)
        offset = moment.utcoffset()
        assert offset is not None
        return at + offset.days * DAY + offset.seconds


def nexts(expression: Expression, wall: Wall, dst: str, after: int, count: int,
          until: int) -> list[int]:
    """The first `count` UTC seconds after `after` and not after `until`."""
    once = expression.fixed and dst == "vixie"
    found: list[int] = []
    shown = max(wall.local(at) for at in range(after // 60 * 60 - 1 - 3 * DAY, after + 1, 60))
    shown = max(shown, wall.local(after))
    at = after + 1
    while at <= until and len(found) < count:
        end = at // 3600 * 3600 + 3600  # exclusive
        low, high = wall.local(at), wall.local(end - 1)
        if once:
            low = min(low, shown + 1)
        low, high = min(low, high), max(low, high)
        if high - low > 3600 or any(expression.hour_may_match(local)
                                    for local in range(low // 3600 * 3600, high + 1, 3600)):
            walk(expression, wall, once, at, end, shown, found)
        shown = max(shown, *(wall.local(one) for one in (at, end - 1)))
        if high - low != end - 1 - at:  # a change inside: look at each minute
            shown = max(shown, *(wall.local(one) for one in range(at // 60 * 60 + 59, end, 60)))
        at = end
    return [one for one in found if one <= until][:count]


def walk(expression: Expression, wall: Wall, once: bool, at: int, end: int, shown: int,
         found: list[int]) -> None:
    """Every moment of one hour. Whole minutes will do where nothing is finer."""
    fine = expression.with_seconds or wall.local(at) % 60 != at % 60 or \
        wall.local(end - 1) % 60 != (end - 1) % 60
    step = 1 if fine else 60
    if not fine:
        at = (at + 59) // 60 * 60
    for moment in range(at, end, step):
        local = wall.local(moment)
        if not once:
            if expression.matches(local):
                found.append(moment)
            continue
        first = max(shown + 1, local - 4 * DAY)
        if not fine:
            first = (first + 59) // 60 * 60
        if any(expression.matches(one) for one in range(first, local + 1, step)):
            found.append(moment)
        shown = max(shown, local)
