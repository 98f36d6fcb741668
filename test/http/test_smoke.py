"""The server is up, and says so."""


def test_health_answers_json(client):
    answer = client.json("GET", "/auth/health")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert isinstance(answer.json(), dict)
