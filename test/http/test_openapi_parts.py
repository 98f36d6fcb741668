"""The API's description is valid: by the standard's own schema, its schemas by theirs, its references by
what they lead to."""
import json

import jsonschema
import pytest
from client import Client
from described import operations, resolve
from server import TOP

STANDARD = json.loads((TOP / "test/data/openapi-3.1/schema.json").read_text())


@pytest.fixture
def described(client):
    answer = client.get("/auth/openapi.json")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    return answer.json()


def test_by_the_standards_schema(described):
    jsonschema.Draft202012Validator(STANDARD).validate(described)


def test_the_validator_bites(described):
    for broken in ({"paths": {"/x": {"get": {"responses": {"2000": {"description": ""}}}}}}, {"paths": {"x": {}}},
                   {"openapi": "3.0.0"}, {"info": {}}, {"servers": {}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(STANDARD).validate({**described, **broken})


def test_every_schema_is_one(described):
    found = list(described["components"]["schemas"].values())
    for _, _, one in operations(described):
        for answer in one["responses"].values():
            found += [content["schema"] for content in resolve(described, answer).get("content", {}).values()]
    for schema in found:
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere(described):
    def walk(value):
        if isinstance(value, dict):
            if "$ref" in value:
                resolve(described, value)
            value = list(value.values())
        for one in value if isinstance(value, list) else []:
            walk(one)

    walk(described)


def test_what_it_says_of_the_site(new_server):
    server = new_server(conf='UserAuthProfileField company "Your company" public required')
    described = Client(server).get("/auth/openapi.json").json()
    assert described["openapi"] == "3.1.0" and described["info"]["title"] == "Example"
    assert described["servers"] == [{"url": server.base}]
    schemes = described["components"]["securitySchemes"]
    assert schemes["cookie"]["name"] == "userauth" and schemes["bearer"]["bearerFormat"] == "JWT"
    form = described["components"]["schemas"]["auth-register"]
    assert form["properties"]["company"]["title"] == "Your company" and "company" in form["required"]
