"""peer_django_site.py: the settings of the Django site that peer_django.py runs, and what it is made of.

As `startproject` and django-allauth's quickstart give them, with what Django's documentation advises for speed: no debugging,
connections to the database kept, no middleware that the site does not need. As a program, with a number, it makes the
database and so many confirmed members: `member0` and so on.
"""
import os
import sys
from pathlib import Path

FOLDER = Path(os.environ["PEER_FOLDER"])
SECRET_KEY = os.environ["PEER_SECRET"]
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "peer_django_app"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sites",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FOLDER / "django.db",
        "CONN_MAX_AGE": None,
        "OPTIONS": {"timeout": 20},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
SITE_ID = 1

PASSWORD_HASHERS = ["peer_django_app.Argon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/gated/file.txt"
ACCOUNT_EMAIL_REQUIRED = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_RATE_LIMITS = {}  # off, as ours is for these measurements
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = FOLDER / "mail"
DEFAULT_FROM_EMAIL = "Example <accounts@example.com>"


def make(count):
    """The database with its members, who share one hash; not flushed to the disk on the way."""
    import django

    django.setup()
    from allauth.account.models import EmailAddress
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")  # stays with the file
        cursor.execute("PRAGMA synchronous=OFF")  # of this connection only
    call_command("migrate", verbosity=0)
    password = make_password(os.environ["PEER_PASSWORD"])
    people = [User(username=f"member{n}", email=f"member{n}@example.org", password=password) for n in range(count)]
    User.objects.bulk_create(people, batch_size=500)
    addresses = [EmailAddress(user=one, email=one.email, verified=True, primary=True) for one in User.objects.all()]
    EmailAddress.objects.bulk_create(addresses, batch_size=500)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "peer_django_site"
    make(int(sys.argv[1]))
