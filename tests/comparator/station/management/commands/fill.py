"""Fills the tables with the rows that the other side answered."""

import json
from datetime import datetime
from pathlib import Path

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils.timezone import make_aware
from rest_framework.authtoken.models import Token
from station.authentication import key_hash
from station.models import Cabinet, Device, Order, Plate, User

TIMES = ["created_at", "paid_at", "start_time", "end_time", "actual_end_time"]


def without(row, *names):
    return {name: value for name, value in row.items() if name not in names}


def cabinet(row):
    return Cabinet(**without(row, "size_display", "status_display"))


def order(row):
    told = ["user_phone", "cabinet_id", "cabinet_size", "status_display", "payment_method_display"]
    times = {name: make_aware(datetime.fromisoformat(row[name])) for name in TIMES if row[name]}
    kept = without(row, "user", "cabinet", *told, *TIMES)
    return Order(user_id=row["user"], cabinet_id=row["cabinet"], **kept, **times)


def plate(row):
    timestamp = datetime.fromisoformat(row["timestamp"])
    return Plate(timestamp=timestamp, **row["position"], **without(row, "timestamp", "position"))


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("rows", type=Path)

    @transaction.atomic
    def handle(self, rows, **_):
        rows = json.loads(rows.read_text())
        users = {row["user"]: row["user_phone"] for row in rows["orders"]}
        for number, phone in users.items():
            User.objects.create(id=number, username=f"user{number}", phone=phone)
        Token.objects.create(key=rows["token"], user_id=rows["orders"][0]["user"])
        Device.objects.bulk_create(
            Device(device_id=device["device_id"], station="", key_hash=key_hash(device["key"]))
            for device in rows["devices"]
        )
        Cabinet.objects.bulk_create(map(cabinet, rows["cabinets"]))
        Order.objects.bulk_create(map(order, rows["orders"]))
        Plate.objects.bulk_create(map(plate, rows["plates"]))
