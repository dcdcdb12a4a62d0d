# its tests run scripts with variables 
TEST_NEEDS_debugger := pv
