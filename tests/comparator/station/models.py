"""Lockers, their controllers and orders, and plates that were read."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    phone = models.CharField(max_length=11, null=True, unique=True)


class Device(models.Model):
    device_id = models.CharField(max_length=64, primary_key=True)
    station = models.CharField(max_length=100, db_index=True)
    key_hash = models.CharField(max_length=64, unique=True)
    is_active = models.BooleanField(default=True)
    battery_level = models.IntegerField(null=True)
    last_seen_at = models.DateTimeField(null=True)

    # What Django REST framework asks of whoever calls.
    is_authenticated = True


class Cabinet(models.Model):
    class Size(models.TextChoices):
        SMALL = "small", "小柜（放背包）"
        MEDIUM = "medium", "中柜（放行李箱）"
        LARGE = "large", "大柜（放多个行李）"

    class Status(models.TextChoices):
        AVAILABLE = "available", "空闲"
        IN_USE = "in_use", "使用中"
        MAINTENANCE = "maintenance", "维护中"

    cabinet_id = models.CharField(max_length=32, unique=True)
    size = models.CharField(max_length=8, choices=Size)
    location = models.CharField(max_length=100)
    station = models.CharField(max_length=100, db_index=True)
    status = models.CharField(max_length=16, choices=Status)
    price_per_hour = models.DecimalField(max_digits=9, decimal_places=2)
    device = models.ForeignKey(Device, models.SET_NULL, null=True)
    is_locked = models.BooleanField(default=True)

    class Meta:
        ordering = ["cabinet_id"]


class Order(models.Model):
    class Status(models.TextChoices):
        PENDING = "pending", "待支付"
        PAID = "paid", "已预约"
        IN_USE = "in_use", "使用中"
        COMPLETED = "completed", "已完成"
        CANCELLED = "cancelled", "已取消"

    class Method(models.TextChoices):
        BALANCE = "balance", "余额支付"
        WECHAT = "wechat", "微信支付"
        ALIPAY = "alipay", "支付宝"

    order_no = models.CharField(max_length=32, unique=True)
    user = models.ForeignKey(User, models.PROTECT)
    cabinet = models.ForeignKey(Cabinet, models.PROTECT)
    station = models.CharField(max_length=100)
    status = models.CharField(max_length=16, choices=Status)
    duration_hours = models.DecimalField(max_digits=6, decimal_places=2)
    price_per_hour = models.DecimalField(max_digits=9, decimal_places=2)
    total_amount = models.DecimalField(max_digits=9, decimal_places=2)
    overtime_due = models.DecimalField(max_digits=9, decimal_places=2, default=0)
    payment_method = models.CharField(max_length=8, choices=Method, null=True)
    pickup_code = models.CharField(max_length=6, null=True)
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    start_time = models.DateTimeField(null=True)
    end_time = models.DateTimeField(null=True)
    actual_end_time = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]


class Plate(models.Model):
    plate_number = models.CharField(max_length=16, db_index=True)
    confidence = models.FloatField()
    timestamp = models.DateTimeField(db_index=True)
    image_path = models.CharField(max_length=200, null=True)
    source_image_path = models.CharField(max_length=200, null=True)
    x_min = models.IntegerField()
    y_min = models.IntegerField()
    x_max = models.IntegerField()
    y_max = models.IntegerField()
    processed_by = models.CharField(max_length=16)
    alternative_readings = models.CharField(max_length=200, null=True)
    is_verified = models.BooleanField(default=False)
    is_deleted = models.BooleanField(default=False)
    detection_id = models.BigIntegerField(db_index=True)

    class Meta:
        ordering = ["-id"]
