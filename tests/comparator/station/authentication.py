"""Controllers, by the API key in `X-API-Key`, of which only the hash is kept."""

from hashlib import sha256

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from .models import Device


def key_hash(key):
    return sha256(key.encode()).hexdigest()


class DeviceAuthentication(BaseAuthentication):
    def authenticate(self, request):
        key = request.headers.get("X-API-Key", "")
        try:
            return Device.objects.get(key_hash=key_hash(key), is_active=True), key
        except Device.DoesNotExist:
            raise AuthenticationFailed("unknown key") from None
