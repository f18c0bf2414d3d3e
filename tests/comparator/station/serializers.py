"""The rows in the documents' forms."""

from datetime import UTC

from rest_framework import serializers

from .models import Cabinet, Order, Plate

LOCAL = "%Y-%m-%dT%H:%M:%S"


class CabinetSerializer(serializers.ModelSerializer):
    size_display = serializers.CharField(source="get_size_display")
    status_display = serializers.CharField(source="get_status_display")

    class Meta:
        model = Cabinet
        fields = [
            "id",
            "cabinet_id",
            "size",
            "size_display",
            "location",
            "station",
            "status",
            "status_display",
            "price_per_hour",
            "device_id",
            "is_locked",
        ]


class OrderSerializer(serializers.ModelSerializer):
    user_phone = serializers.CharField(source="user.phone")
    cabinet_id = serializers.CharField(source="cabinet.cabinet_id")
    cabinet_size = serializers.CharField(source="cabinet.size")
    status_display = serializers.CharField(source="get_status_display")
    payment_method_display = serializers.CharField(source="get_payment_method_display")
    created_at = serializers.DateTimeField(format=LOCAL)
    paid_at = serializers.DateTimeField(format=LOCAL)
    start_time = serializers.DateTimeField(format=LOCAL)
    end_time = serializers.DateTimeField(format=LOCAL)
    actual_end_time = serializers.DateTimeField(format=LOCAL)

    class Meta:
        model = Order
        fields = [
            "id",
            "order_no",
            "user",
            "user_phone",
            "cabinet",
            "cabinet_id",
            "cabinet_size",
            "station",
            "status",
            "status_display",
            "duration_hours",
            "price_per_hour",
            "total_amount",
            "overtime_due",
            "payment_method",
            "payment_method_display",
            "pickup_code",
            "created_at",
            "paid_at",
            "start_time",
            "end_time",
            "actual_end_time",
        ]


class HeartbeatSerializer(serializers.Serializer):
    battery_level = serializers.IntegerField(min_value=0, max_value=100, required=False)


class PositionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Plate
        fields = ["x_min", "y_min", "x_max", "y_max"]


class MillisecondsField(serializers.DateTimeField):
    def to_representation(self, value):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class PlateSerializer(serializers.ModelSerializer):
    timestamp = MillisecondsField()
    position = PositionSerializer(source="*")

    class Meta:
        model = Plate
        fields = [
            "id",
            "plate_number",
            "confidence",
            "timestamp",
            "image_path",
            "source_image_path",
            "position",
            "processed_by",
            "alternative_readings",
            "is_verified",
            "is_deleted",
            "detection_id",
        ]
