# unixODBC: the driver manager, and odbcinst to read a DSN's settings
LIBS_db_unixodbc := -lodbc -lodbcinst
ALIASES_db_unixodbc := db_sqlite db_mysql db_postgres
