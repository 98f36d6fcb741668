"""What the script adds where a password is chosen and a code is typed; all of it works without."""
from selenium.webdriver.common.by import By

from server import wait_for

HINT = ".field p[aria-live=polite]"


def hint(person):
    return person.one(HINT).text


def test_a_password_is_judged_while_it_is_typed(person):
    """By the server, with the person's own words; the last answer stands."""
    person.driver.get(person.site.base + "/auth/register")
    field = person.driver.find_element(By.ID, "f-password")
    assert hint(person) == ""
    field.send_keys("password1")
    wait_for(lambda: "too easy to guess" in hint(person), what="the hint")
    field.clear()
    field.send_keys("purple-monkey-dishwasher-92")
    wait_for(lambda: hint(person) == "Very good: this is very hard to guess.", what="the hint")
    field.clear()
    person.driver.find_element(By.ID, "f-username").send_keys("xavierxenophon")
    field.send_keys("xavierxenophon7")
    wait_for(lambda: "too easy to guess" in hint(person), what="the hint")
    assert person.driver.execute_script("return document.activeElement.id") == "f-password"


def test_the_code_is_not_taken_away_while_it_is_typed(person):
    """The page after a registration shows itself anew when the mail has left, but not to who types."""
    person.driver.get(person.site.base + "/auth/register")
    for name, value in (("username", person.username), ("email", person.email), ("password", person.password)):
        person.driver.find_element(By.ID, "f-" + name).send_keys(value)
    person.driver.find_element(By.CSS_SELECTOR, "main form button.primary").click()
    wait_for(lambda: person.here == "/auth/check-email", what="the page after it")
    person.driver.find_element(By.ID, "f-code").send_keys("1234")
    code = person.site.wait_mail(person.email).code
    person.driver.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
    wait_for(lambda: person.driver.execute_script("return performance.getEntriesByType('resource').length") > 2, what="a question")
    field = person.driver.find_element(By.ID, "f-code")
    assert field.get_attribute("value") == "1234"
    field.clear()
    field.send_keys(f"{code[:4]} {code[4:]}")
    person.driver.find_element(By.CSS_SELECTOR, "form[action$='/auth/verify'] button").click()
    wait_for(lambda: person.here == "/auth/login?notice=verified", what="the confirmation")
    assert person.notice == "Your email address is verified. You can log in now."
