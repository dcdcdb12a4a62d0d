# the tests store in the real location table
TEST_NEEDS_registrar := usrloc
