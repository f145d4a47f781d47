#!/usr/bin/env python3
"""Writes houses.csv: invented houses whose price follows from a formula and some noise, with the faults of real tables."""
import random

CITIES = {"Altenfeld": 0.8, "Birkenau": 1.0, "Fischbach": 1.1, "Grünwald": 1.9, "Kirchheim": 1.25, "Neustadt": 1.5}
CONDITIONS = {"new": 1.2, "good": 1.0, "needs work": 0.75}


def house(rng, number):
    city = rng.choice(sorted(CITIES))
    condition = rng.choice(sorted(CONDITIONS))
    area = round(rng.uniform(45, 240), 1)
    rooms = max(1, round(area / 28 + rng.gauss(0, 0.8)))
    year = rng.randint(1900, 2024)
    garden = rng.random() < 0.4
    value = 40000 + area * 2600 * CITIES[city] * CONDITIONS[condition] + 9000 * rooms
    value += (year - 1960) * 350 + (45000 if garden else 0)
    price = round(value * rng.gauss(1, 0.04), -2)
    rooms = "NA" if rng.random() < 0.04 else rooms
    year = "" if rng.random() < 0.06 else year
    return f"{number},{city},{area},{rooms},{year},{'yes' if garden else 'no'},{condition},{price:.0f}"


rng = random.Random(2024)
with open("houses.csv", "w", encoding="utf-8") as f:
    f.write("number,city,area,rooms,year,garden,condition,price\n")
    for number in range(1, 601):
        f.write(house(rng, number) + "\n")
