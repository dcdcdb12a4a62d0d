# the tests use the real digest module
TEST_NEEDS_auth_db := auth
