# the store's tests use a real database through its driver
TEST_NEEDS_xcap_server := db_unixodbc
