"""peer_django_app.py: the Django site of peer_django.py: the file, for those who are signed in, and django-allauth's own pages."""
from django.contrib.auth.decorators import login_required
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.http import HttpResponse
from django.urls import include, path

FILE = "x" * 1023 + "\n"


class Argon2(Argon2PasswordHasher):
    """As mod_userauth hashes."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1


@login_required
def page(_request):
    return HttpResponse(FILE, content_type="text/plain", headers={"Content-Length": len(FILE)})


urlpatterns = [path("accounts/", include("allauth.urls")), path("gated/file.txt", page)]
