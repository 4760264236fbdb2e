"""The only place with SQL for operations. `store` says what is stored; `sqlite` does it."""
