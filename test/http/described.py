"""described.py: reads the API's description (OpenAPI 3.1), as the tests of it need."""
import jsonschema


def operations(described):
    """(path, method, operation) of all."""
    return [(path, method, one) for path, item in described["paths"].items() for method, one in item.items()]


def resolve(described, value):
    """What a $ref names."""
    while "$ref" in value:
        found = described
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        value = found
    return value


def validate(described, schema, value):
    """`schema` may refer to the description's components."""
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": described["components"], **schema}
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(value)


def undescribed(described, schema, value, where=""):
    """The members of an answer that its schema does not name; where it names none, anything may stand."""
    schema = resolve(described, schema)
    if isinstance(value, list):
        return [one for item in value for one in undescribed(described, schema["items"], item, where + "[]")]
    named = schema.get("properties")
    if not isinstance(value, dict) or named is None:
        return []
    found = [f"{where}.{name}" for name in value if name not in named]
    for name in set(value) & set(named):
        found += undescribed(described, named[name], value[name], f"{where}.{name}")
    return found
