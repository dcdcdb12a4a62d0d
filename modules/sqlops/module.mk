# its test asks a real SQLite file and keeps what it finds in pv's variables
TEST_NEEDS_sqlops := db_unixodbc pv
