"""Random schedules, zones and instants for the comparisons. The seed decides everything."""

from __future__ import annotations

import random
import re
import subprocess
import zoneinfo

DAYS = "SUN MON TUE WED THU FRI SAT".split()
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
FIRST, LAST = 0, 4102444800  # 1970, 2100
# What is famous for breaking schedulers is asked more often.
FAMOUS = ("Pacific/Apia Pacific/Kiritimati Australia/Lord_Howe Antarctica/Troll Europe/Dublin "
          "Africa/Casablanca Africa/Cairo America/Sao_Paulo America/Caracas Pacific/Chatham "
          "Asia/Kathmandu Europe/Berlin America/New_York Africa/Monrovia Pacific/Kwajalein "
          "Asia/Gaza America/Scoresbysund Asia/Pyongyang Africa/Juba UTC").split()
CHANGE = re.compile(r"^(\S+)\s+(-?\d+|.*) UTC? = ")


def all_zones() -> list[str]:
    names = zoneinfo.available_timezones() - {"localtime"}
    return sorted(name for name in names if name[0].isupper() and name != "Factory")


def changes(names: list[str]) -> dict[str, list[int]]:
    """The instants at which each zone changes its offset, by zdump."""
    import calendar
    import os
    import time
    done = subprocess.run(["zdump", "-V", "-c", "1970,2101", *names], text=True,
                          capture_output=True, check=True,
                          env=dict(os.environ, TZDIR=zoneinfo.TZPATH[0], LC_ALL="C"))
    found: dict[str, list[int]] = {name: [] for name in names}
    for line in done.stdout.splitlines():
        zone, rest = line.split(None, 1)
        moment = time.strptime(rest.split(" UT", 1)[0], "%a %b %d %H:%M:%S %Y")
        at = calendar.timegm(moment)
        if at % 60 != 59 and at > 0:  # the second line of each pair
            found[zone].append(at)
    return found


class Draw:
    def __init__(self, seed: int, special: bool = True) -> None:
        self.chance = random.Random(seed)
        self.special = special
        self.zones = all_zones()
        self.changes = changes(self.zones)

    def values(self, low: int, high: int, names: list[str] | None = None) -> str:
        """A field that is not a bare star."""
        pick = self.chance.random()
        one = self.chance.randint(low, high)
        if pick < 0.45:
            if names and self.chance.random() < 0.3:
                return names[one - low]
            return str(one)
        if pick < 0.6:
            other = self.chance.randint(one, high)
            return f"{one}-{other}"
        if pick < 0.72:
            return f"*/{self.chance.randint(2, max(2, (high - low) // 2))}"
        if pick < 0.8:
            other = self.chance.randint(one, high)
            return f"{one}-{other}/{self.chance.randint(1, max(1, other - one))}"
        some = sorted(self.chance.sample(range(low, high + 1), self.chance.randint(2, 4)))
        return ",".join(map(str, some))

    def day(self) -> str:
        if self.special and self.chance.random() < 0.3:
            return self.chance.choice(["L", "LW", f"L-{self.chance.randint(1, 30)}",
                                       f"{self.chance.randint(1, 31)}W", "1W,15W,L", "31W"])
        return self.values(1, 31)

    def weekday(self, low: int = 0) -> str:
        if self.special and self.chance.random() < 0.3:
            return self.chance.choice([
                f"{self.chance.randint(low, low + 6)}L",
                f"{self.chance.choice(DAYS)}#{self.chance.randint(1, 5)}",
                f"{self.chance.randint(low, low + 6)}#{self.chance.randint(1, 5)}"])
        if self.chance.random() < 0.2:
            return self.chance.choice(DAYS)
        return self.values(low, low + 6, DAYS)

    def maybe(self, likely: float, field: str) -> str:
        return field if self.chance.random() < likely else "*"

    def expression(self, seconds: float = 0.1) -> str:
        """In the standard dialect."""
        shape = self.chance.random()
        minute = self.maybe(0.85, self.values(0, 59))
        hour = self.maybe(0.75, self.values(0, 23))
        if self.chance.random() < 0.5:  # the hours in which clocks change
            hour = str(self.chance.choice([0, 0, 1, 1, 2, 2, 2, 3, 23]))
        day = weekday = "*"
        if 0.35 < shape < 0.6:
            day = self.day()
        elif 0.6 <= shape < 0.85:
            weekday = self.weekday()
        elif shape >= 0.85:
            day, weekday = self.day(), self.weekday()
            if self.special and self.chance.random() < 0.4:
                weekday = "+" + weekday
        month = self.maybe(0.2, self.values(1, 12, MONTHS))
        text = f"{minute} {hour} {day} {month} {weekday}"
        if self.chance.random() < seconds:
            text = f"{self.maybe(0.8, self.values(0, 59))} {text}"
        return text

    def quartz(self) -> str:
        fields = self.expression(seconds=0.0).split()
        fields[2:5:2] = ["*", "*"]
        second = self.values(0, 59) if self.chance.random() < 0.1 else "0"
        if self.chance.random() < 0.5:
            fields[2], fields[4] = self.maybe(0.8, self.day()), "?"
        else:
            fields[2], fields[4] = "?", self.maybe(0.9, self.weekday(1))
        year = "" if self.chance.random() < 0.8 else " 2020-2060/2"
        return f"{second} {' '.join(fields)}{year}"

    def zone(self) -> str:
        return self.chance.choice(FAMOUS if self.chance.random() < 0.4 else self.zones)

    def instant(self, zone: str) -> int:
        known = self.changes.get(zone, [])
        if known and self.chance.random() < 0.7:
            at = self.chance.choice(known) + self.chance.randint(-60 * 3600, 4 * 3600)
            if self.chance.random() < 0.3:
                at = at // 3600 * 3600 + self.chance.choice([-1, 0, 1])
            return min(max(at, FIRST), LAST)
        return self.chance.randint(FIRST, LAST)
