# the tests use a real database through its driver
TEST_NEEDS_usrloc := db_unixodbc
