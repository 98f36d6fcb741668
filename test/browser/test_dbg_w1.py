def test_x(person):
    person.register()
    link = person.mail().link("disown")
    person.open(link)
    person.press("Remove this registration")
    person.open(link)
    print(person.here, person.driver.page_source)
