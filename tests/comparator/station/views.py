"""The views that are measured."""

from django.utils import timezone
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveAPIView
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from .authentication import DeviceAuthentication
from .models import Cabinet, Order, Plate
from .serializers import (
    CabinetSerializer,
    HeartbeatSerializer,
    OrderSerializer,
    PlateSerializer,
)


def enveloped(data, message="success"):
    return Response({"code": 0, "message": message, "data": data})


class CabinetList(ListAPIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    queryset = Cabinet.objects.all()
    serializer_class = CabinetSerializer

    def list(self, request):
        return enveloped(self.get_serializer(self.get_queryset(), many=True).data)


class OneCabinet(RetrieveAPIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    queryset = Cabinet.objects.all()
    serializer_class = CabinetSerializer
    lookup_field = "cabinet_id"

    def retrieve(self, request, cabinet_id):
        return enveloped(self.get_serializer(self.get_object()).data)


class OwnOrders(ListAPIView):
    serializer_class = OrderSerializer

    def get_queryset(self):
        return Order.objects.filter(user=self.request.user).select_related("user", "cabinet")

    def list(self, request):
        return enveloped(self.get_serializer(self.get_queryset(), many=True).data)


class Heartbeat(GenericAPIView):
    authentication_classes = [DeviceAuthentication]
    serializer_class = HeartbeatSerializer

    def post(self, request):
        said = self.get_serializer(data=request.data)
        said.is_valid(raise_exception=True)
        device = request.user
        device.last_seen_at = timezone.now()
        device.battery_level = said.validated_data.get("battery_level", device.battery_level)
        device.save(update_fields=["last_seen_at", "battery_level"])
        return enveloped({"device_id": device.device_id, "status": "online"}, "心跳接收成功")


class PlateList(ListAPIView):
    queryset = Plate.objects.filter(is_deleted=False)
    serializer_class = PlateSerializer

    def list(self, request):
        skip = int(request.query_params.get("skip", 0))
        limit = min(int(request.query_params.get("limit", 20)), 100)
        page = self.get_queryset()[skip : skip + limit]
        return Response(self.get_serializer(page, many=True).data)
