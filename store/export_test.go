package store

import "fmt"

// SetMaxPages limits the size of the database.
func (s *Store) SetMaxPages(n int) error {
	var now int
	return s.writer.db.QueryRow(fmt.Sprintf("pragma max_page_count = %d", n)).Scan(&now)
}
