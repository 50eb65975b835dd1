package store

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// advice says what to do about the errors of SQLite that users can mend.
var advice = map[int]string{
	sqlite3.SQLITE_FULL:     "the disk is full; free some space",
	sqlite3.SQLITE_READONLY: "the database cannot be written; check the permissions of the file and its folder",
	sqlite3.SQLITE_CANTOPEN: "the database cannot be opened; check that the folder exists and its permissions",
	sqlite3.SQLITE_PERM:     "the database cannot be accessed; check the permissions of the file and its folder",
	sqlite3.SQLITE_CORRUPT:  "the database is damaged; move the file away, or restore it from a backup",
	sqlite3.SQLITE_NOTADB:   "the file is not a database; move it away, or choose another",
	sqlite3.SQLITE_BUSY:     "another program holds the database",
	sqlite3.SQLITE_IOERR:    "the disk cannot be read or written",
}

// explain adds advice to an error of SQLite.
func explain(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		if a, ok := advice[e.Code()&0xff]; ok { // the low byte is the primary code
			return fmt.Errorf("%s: %w", a, err)
		}
	}
	return err
}
