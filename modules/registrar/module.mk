# the tests store in the real location table, scripts have variables
TEST_NEEDS_registrar := usrloc pv
