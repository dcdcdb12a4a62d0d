# the store's tests use real databases through their driver
TEST_NEEDS_presence := db_unixodbc
