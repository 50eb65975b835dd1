package main

import (
	"database/sql"
	"fmt"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite", in pure Go

	"github.com/aquatope/aquatope/examples/fn"
)

// openOwn opens a function's database in the shared folder, making it with
// schema if it is new. Several instances write at the same time: the log mode
// lets readers go on meanwhile, and writers wait for each other up to 10 s.
func openOwn(name, schema string) (*sql.DB, error) {
	dir, err := fn.DataDir("social")
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, name+".db")+
		"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(schema); err != nil {
		return nil, fmt.Errorf("making database %s: %w", name, err)
	}
	return db, nil
}

// openPeople opens the database of users and who follows whom, which prepare
// made and nobody changes.
func openPeople() (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join("bin", "people.db")+"?mode=ro&immutable=1")
	if err != nil {
		return nil, err
	}
	if err := db.Ping(); err != nil {
		return nil, fmt.Errorf("opening bin/people.db: %w (`make examples` makes it)", err)
	}
	return db, nil
}

// ids runs a query for one column of numbers.
func ids(db *sql.DB, query string, args ...any) ([]int64, error) {
	rows, err := db.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []int64{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		list = append(list, id)
	}
	return list, rows.Err()
}
