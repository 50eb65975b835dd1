package store

import (
	"context"
	"database/sql"
	"fmt"
)

// applicationID marks the file as ours: "aqua".
const applicationID = 0x61717561

// migrations bring a database from one version to the next; the version is how
// many were applied. Never change one that was released.
var migrations = []string{
	// Times are nanoseconds since 1970, durations nanoseconds. Ids of runs sort
	// by time, so they serve as the index by time too.
	`create table runs (
		id             text primary key,
		workflow       text not null,
		version        text not null,
		function       text not null,
		trial          text not null,
		async          integer not null,
		status         text not null,
		start          integer not null,
		end            integer,
		latency        integer,
		qos_latency    integer not null,
		qos_percentile real not null,
		violated       integer not null,
		cold_starts    integer not null,
		problem        text,
		trace_id       text not null,
		input_bytes    integer not null,
		output_bytes   integer not null,
		resumes        integer not null,
		stages         text,
		key            text
	) without rowid;
	create index runs_of on runs (workflow, function, id);
	create index runs_running on runs (id) where status = 'running';
	create unique index runs_key on runs (workflow, key) where key is not null;

	create table events (
		run  text not null,
		seq  integer not null,
		time integer not null,
		kind text not null,
		data text not null,
		body blob,
		primary key (run, seq)
	) without rowid;

	create table definitions (
		digest   text primary key,
		document blob not null
	) without rowid;

	create table observations (
		id           integer primary key,
		time         integer not null,
		function     text not null,
		revision     text not null,
		instance     text not null,
		run          text not null,
		workflow     text not null,
		stage        text not null,
		trial        text not null,
		attempt      integer not null,
		cpu          integer not null,
		memory       integer not null,
		queue        integer not null,
		cold         integer not null,
		cold_start   integer not null,
		execution    integer not null,
		cpu_time     integer not null,
		peak_memory  integer not null,
		input_bytes  integer not null,
		output_bytes integer not null,
		outcome      text not null,
		status       integer not null,
		message      text not null
	);
	create index observations_of on observations (function, time);

	create table deployments (
		kind     text not null,
		name     text not null,
		time     integer not null,
		document blob not null,
		primary key (kind, name)
	) without rowid;

	create table decisions (
		id         integer primary key,
		time       integer not null,
		controller text not null,
		kind       text not null,
		subject    text not null,
		reason     text not null,
		data       text not null
	);
	create index decisions_of on decisions (controller, subject, time);

	create table trials (
		id       text primary key,
		workflow text not null,
		time     integer not null,
		status   text not null,
		data     text not null
	) without rowid;
	create index trials_of on trials (workflow, time);`,
}

// migrate brings the database to this version's schema. It refuses files that
// are not ours and schemas that it does not know.
func migrate(ctx context.Context, db *sql.DB) error {
	var version, app, tables int
	for query, to := range map[string]*int{
		"pragma user_version":                &version,
		"pragma application_id":              &app,
		"select count(*) from sqlite_schema": &tables,
	} {
		if err := db.QueryRowContext(ctx, query).Scan(to); err != nil {
			return err
		}
	}
	if tables > 0 && app != applicationID {
		return fmt.Errorf("it holds another program's tables; choose another file")
	}
	if version > len(migrations) {
		return fmt.Errorf("its schema is version %d and this program knows up to %d; use a newer aquatope, or another file", version, len(migrations))
	}
	for ; version < len(migrations); version++ {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		script := fmt.Sprintf("%s; pragma user_version = %d; pragma application_id = %d", migrations[version], version+1, applicationID)
		if _, err := tx.ExecContext(ctx, script); err != nil {
			_ = tx.Rollback()
			return fmt.Errorf("migrating its schema to version %d: %w", version+1, err)
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("migrating its schema to version %d: %w", version+1, err)
		}
	}
	return nil
}
