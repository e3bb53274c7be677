from identity.roles import Role


def test_the_roles_are_those_of_the_protocol() -> None:
    assert [role.value for role in Role] == ["viewer", "streamer", "moderator", "admin"]
