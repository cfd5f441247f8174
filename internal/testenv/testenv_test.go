package testenv

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

func TestMain(m *testing.M) { MainNoLeaks(m) }

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func value[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func TestEachTestHasAMigratedDatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	began := time.Now()
	first := connect(t, Postgres(t))
	t.Logf("first: %v", time.Since(began).Round(time.Millisecond))
	began = time.Now()
	second := connect(t, Postgres(t))
	t.Logf("next: %v", time.Since(began).Round(time.Millisecond))

	if _, err := first.Exec(t.Context(), `CREATE TABLE mine ()`); err != nil {
		t.Fatal(err)
	}
	const exists = `SELECT to_regclass($1) IS NOT NULL`
	if value[bool](t, second, exists, "mine") {
		t.Error("the second database has the table of the first")
	}
	for _, conn := range []*pgx.Conn{first, second} {
		if value[int64](t, conn, `SELECT max(version_id) FROM goose_db_version`) == 0 {
			t.Error("no migration is applied")
		}
	}
}

func TestADatabaseIsDroppedUnderAnOpenConnection(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("inner", func(t *testing.T) {
		url = Postgres(t)
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Ping(t.Context()) // and left open, as a test that failed half-way does
	})
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		_ = conn.Close(t.Context())
		t.Error("the database is still there")
	}
}

func TestManyTestsAtOnce(t *testing.T) {
	t.Parallel()
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			if got := value[string](t, connect(t, Postgres(t)), `SELECT current_user::text`); got != "peal" {
				t.Errorf("connected as %s", got)
			}
		})
	}
}

func TestRedisKeysAreRemovedWithTheirTest(t *testing.T) {
	t.Parallel()
	url, other := Redis(t)
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })

	var keys []string
	t.Run("inner", func(t *testing.T) {
		_, prefix := Redis(t)
		if prefix == other {
			t.Fatalf("two tests with the prefix %s", prefix)
		}
		keys = []string{prefix + "a", "{" + prefix + "b}:c", other + "kept"}
		for _, key := range keys {
			if err := client.Set(t.Context(), key, "1", 0).Err(); err != nil {
				t.Fatal(err)
			}
		}
	})
	if n, err := client.Exists(t.Context(), keys[:2]...).Result(); err != nil || n != 0 {
		t.Errorf("%d keys left, %v", n, err)
	}
	if n, err := client.Exists(t.Context(), keys[2]).Result(); err != nil || n != 1 {
		t.Errorf("the key of another test is gone, %v", err)
	}
}

func TestAServerIsStartedOnceAndItsErrorKept(t *testing.T) {
	t.Parallel()
	var l lazy[*redisServer]
	attempts := 0
	refuse := func(context.Context) (*redisServer, error) {
		attempts++
		return nil, errors.New("no")
	}
	for range 3 {
		if _, err := l.get(t.Context(), refuse); err == nil {
			t.Error("no error")
		}
	}
	if attempts != 1 {
		t.Errorf("%d attempts", attempts)
	}
	if err := l.stop(t.Context()); err != nil {
		t.Errorf("stop of what never ran: %v", err)
	}
}
