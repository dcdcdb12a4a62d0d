# its tests use pv's variables and a real SQLite file
TEST_NEEDS_avpops := db_unixodbc pv
