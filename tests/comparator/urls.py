"""The paths that are measured."""

from django.urls import path
from station import views

urlpatterns = [
    path("api/cabinets/", views.CabinetList.as_view()),
    path("api/cabinets/<str:cabinet_id>/", views.OneCabinet.as_view()),
    path("api/orders/my/", views.OwnOrders.as_view()),
    path("api/devices/heartbeat/", views.Heartbeat.as_view()),
    path("api/plates", views.PlateList.as_view()),
]
