package devstack

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestDataSurvivesARestart(t *testing.T) {
	t.Parallel()
	for _, durable := range []bool{true, false} {
		t.Run("durable="+strconv.FormatBool(durable), func(t *testing.T) {
			t.Parallel()
			cfg := PostgresConfig{Dir: filepath.Join(scratch(t), "pg"), Durable: durable}
			pg, err := StartPostgres(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			query(t, pg.URL(), `WITH made AS (SELECT lo_from_bytea(4711, 'here')) SELECT 'written' FROM made`)
			stop(t, pg)
			if err := pg.Err(); err != nil {
				t.Errorf("after Stop: %v", err)
			}

			began := time.Now()
			pg, err = StartPostgres(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer stop(t, pg)
			t.Logf("warm start: %v", time.Since(began).Round(time.Millisecond))
			if got := query(t, pg.URL(), `SELECT convert_from(lo_get(4711), 'UTF8')`); got != "here" {
				t.Errorf("after a restart it holds %q", got)
			}
			if got := query(t, pg.URL(), `SHOW fsync`); (got == "on") != durable {
				t.Errorf("fsync is %s", got)
			}
		})
	}
}

func TestThePealRoleOwnsItsDatabaseAndIsNoSuperuser(t *testing.T) {
	t.Parallel()
	pg := startPG(t, scratch(t))
	const who = `SELECT concat_ws(' ', current_user, current_database(), rolsuper::text, rolbypassrls::text,
		pg_get_userbyid(datdba)) FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()`
	if got, want := query(t, pg.URL(), who), "peal peal false false peal"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := query(t, pg.AdminURL(), `SELECT current_user::text`); got != "postgres" {
		t.Errorf("admin is %q", got)
	}
}

func TestItListensOnAPrivateSocketAlone(t *testing.T) {
	t.Parallel()
	pg := startPG(t, scratch(t))
	if got := query(t, pg.AdminURL(), `SHOW listen_addresses`); got != "" {
		t.Errorf("listens on %q", got)
	}
	info, err := os.Stat(pg.socket)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("the socket's folder has mode %o", got)
	}
}

func TestTwoFoldersRunSideBySide(t *testing.T) {
	t.Parallel()
	a, b := startPG(t, scratch(t)), startPG(t, scratch(t))
	if a.URL() == b.URL() {
		t.Fatalf("both at %s", a.URL())
	}
	const where = `SELECT current_setting('data_directory')`
	if x, y := query(t, a.AdminURL(), where), query(t, b.AdminURL(), where); x == y {
		t.Errorf("both in %s", x)
	}
}

func TestASecondStartIsRefusedWithThePIDOfTheFirst(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	helper, _ := startHelper(t, dir)

	_, err := StartPostgres(t.Context(), PostgresConfig{Dir: dir})
	var locked *LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("got %v, want a LockedError", err)
	}
	if locked.PID != helper.Process.Pid {
		t.Errorf("named pid %d, want %d", locked.PID, helper.Process.Pid)
	}
	wantError(t, err, strconv.Itoa(helper.Process.Pid), "--data")
}

func TestAServerEndsWithItsKilledParentAndStartsAgain(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	helper, server := startHelper(t, dir)
	if err := helper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = helper.Wait()

	pg := startPG(t, dir) // at once: the old server may still be shutting down
	if alive(server) {
		t.Errorf("the server %d of the killed parent still runs", server)
	}
	if got := query(t, pg.URL(), `SELECT current_database()`); got != "peal" {
		t.Errorf("got %q", got)
	}
}

func TestAnOrphanIsStopped(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	orphan := startPG(t, dir)
	orphan.folder.release() // what a parent without a parent-death signal leaves: a server, and no lock

	pg := startPG(t, dir)
	select {
	case <-orphan.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the orphan still runs")
	}
	if pg.PID() == orphan.PID() {
		t.Error("the same server")
	}
}

func TestAPIDFileThatNamesAStrangerIsIgnored(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	stop(t, startPG(t, dir))
	// After a crash and a reboot the number may be anybody's, for example ours.
	path := filepath.Join(dir, "data", "postmaster.pid")
	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	startPG(t, dir)
}

func TestAServerThatDiesSaysSoAndStartsAgain(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	pg := startPG(t, dir)
	// A session that works on and so is slow to notice.
	conn, err := pgx.Connect(t.Context(), pg.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	busy := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), `SELECT sum(x) FROM generate_series(1, 8000000) x`)
		busy <- err
	}()
	eventually(t, "the session is busy", func() bool {
		return query(t, pg.AdminURL(), `SELECT count(*)::text FROM pg_stat_activity WHERE state = 'active' AND usename = 'peal'`) == "1"
	})

	if err := pg.proc.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-pg.Done()
	wantError(t, pg.Err(), "ended on its own", "killed", "log")
	stop(t, pg)
	startPG(t, dir)
	<-busy
}

func TestAFolderBehindAClosedOneWorks(t *testing.T) {
	t.Parallel()
	closed := filepath.Join(scratch(t), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	pg := startPG(t, filepath.Join(closed, "below", "pg"))
	if got := query(t, pg.URL(), `SELECT 'open'`); got != "open" {
		t.Errorf("got %q", got)
	}
	if os.Geteuid() == 0 && runsAs(t, pg.PID()) == 0 {
		t.Error("PostgreSQL runs as root")
	}
}

func TestAnExistingFolderKeepsItsUser(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	pg := startPG(t, dir)
	was := runsAs(t, pg.PID())
	stop(t, pg)
	if os.Geteuid() == 0 {
		was = 12345 // as if an ordinary user had made it
		err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(path, was, was))
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = StartPostgres(t.Context(), PostgresConfig{Dir: dir})
		wantError(t, err, "12345", "--data") // no such user here; PostgreSQL needs one
		return
	}
	if now := runsAs(t, startPG(t, dir).PID()); now != was {
		t.Errorf("ran as %d, now as %d", was, now)
	}
}

func TestALongPathGetsAShortSocket(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(scratch(t), strings.Repeat("long/", 40), "pg")
	pg := startPG(t, dir)
	query(t, pg.URL(), `SELECT 'here'`)
	stop(t, pg)
	if _, err := os.Stat(pg.socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's folder %s is left behind: %v", pg.socket, err)
	}
}

func TestAClusterOfAnotherVersionIsNamed(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	pg := startPG(t, dir)
	have := query(t, pg.URL(), `SELECT current_setting('server_version_num')::int / 10000 || ''`)
	stop(t, pg)
	if err := os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := StartPostgres(t.Context(), PostgresConfig{Dir: dir})
	wantError(t, err, "PostgreSQL 9", "PostgreSQL "+have, "--data")
}

func TestAServerThatDoesNotStartShowsItsLog(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	stop(t, startPG(t, dir))
	conf := filepath.Join(dir, "data", "postgresql.conf")
	if err := os.WriteFile(conf, []byte("no_such_setting = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := StartPostgres(t.Context(), PostgresConfig{Dir: dir})
	wantError(t, err, "no_such_setting", dir)
}

func TestAFolderOfSomebodyElsesFilesIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := StartPostgres(t.Context(), PostgresConfig{Dir: dir})
	wantError(t, err, dir, "not ours", "--data")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v", entries, err)
	}
}

func TestAStartThatIsCalledOffLeavesAFreeFolder(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := StartPostgres(ctx, PostgresConfig{Dir: dir, CacheDir: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	startPG(t, dir)
}
