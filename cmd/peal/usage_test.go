package main

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// databaseOf connects to the database of an environment.
func databaseOf(t *testing.T, env []string) *pgx.Conn {
	t.Helper()
	for _, v := range env {
		if url, ok := strings.CutPrefix(v, "PEAL_DATABASE_URL="); ok {
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			return conn
		}
	}
	t.Fatal("no database")
	return nil
}

// usedToday is what app 7 used by the database, messages in and out and the peak of connections.
func usedToday(t *testing.T, env []string) (in, out, peak int64) {
	t.Helper()
	conn := databaseOf(t, env)
	defer conn.Close(context.Background())
	row := conn.QueryRow(t.Context(), `
		SELECT coalesce(sum(messages_in), 0), coalesce(sum(messages_out), 0), coalesce(max(peak_connections), 0)
		FROM usage WHERE app_id = '7' AND step = 'day'`)
	if err := row.Scan(&in, &out, &peak); err != nil {
		t.Fatal(err)
	}
	return in, out, peak
}

func (p *process) publish(t *testing.T, times int) {
	t.Helper()
	for range times {
		if err := p.library().Trigger("news", "hello", "x"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAnEdgeThatIsKilledLosesOneIntervalAtMost counts over two edges, of which one is killed while it counts.
func TestAnEdgeThatIsKilledLosesOneIntervalAtMost(t *testing.T) {
	t.Parallel()
	env := cluster(t)
	one, two := startServe(t, env), startServe(t, env)
	untilReady(t, one, two)
	connect(t, one.info.EdgeURL, "abc").subscribe(t, "news")
	connect(t, two.info.EdgeURL, "abc").subscribe(t, "news")
	const before, lost, after = 5, 3, 4
	one.publish(t, before)
	waitFor(t, "the first interval is added up", func() bool {
		in, out, peak := usedToday(t, env)
		return in == before && out == 2*before+2 && peak == 2
	})
	one.publish(t, lost)
	if err := one.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	one.wait(t)
	two.publish(t, after)
	atOther := int64(before + lost + after + 1) // what the socket at the other edge got, with its welcome
	waitFor(t, "what the other edge counts is added up", func() bool {
		in, out, _ := usedToday(t, env)
		return in >= before+after && out >= before+1+atOther
	})
	if in, out, _ := usedToday(t, env); in > before+lost+after || out > before+lost+1+atOther {
		t.Errorf("counted %d in and %d out, which is more than happened", in, out)
	}
	if code := two.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d\n%s", code, two.stderr)
	}
}

// TestASingleNodeWritesWhatItCountedWhenItStops needs no Redis.
func TestASingleNodeWritesWhatItCountedWhenItStops(t *testing.T) {
	t.Parallel()
	_, env := database(t)
	runPeal(t, env, "migrate", "up").want(t, "up", exitOK)
	file := write(t, "apps.yaml", "tenants:\n  - name: Acme\n    apps:\n      - {id: '7', name: chat, keys: [{key: abc, secret: def}]}\n")
	runPeal(t, env, "apply", "-f", file, "--yes").want(t, "apply", exitOK)
	node := startServe(t, env)
	connect(t, node.info.EdgeURL, "abc").subscribe(t, "news")
	node.publish(t, 6)
	if code := node.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d\n%s", code, node.stderr)
	}
	if in, out, peak := usedToday(t, env); in != 6 || out != 7 || peak != 1 {
		t.Errorf("counted %d in, %d out, a peak of %d\n%s", in, out, peak, node.stderr)
	}
}

// TestAlertsAreMailedOnce has two processes notice that an app has reached its limit. There is no mail server, so that what would
// be sent is in the logs.
func TestAlertsAreMailedOnce(t *testing.T) {
	t.Parallel()
	env := cluster(t)
	conn := databaseOf(t, env)
	defer conn.Close(context.Background())
	for _, sql := range []string{
		`UPDATE apps SET limit_connections = 2 WHERE id = '7'`,
		`INSERT INTO users (id, email, password_hash, email_verified_at) VALUES (gen_random_uuid(), 'ann@example.com', 'x', now())`,
		`INSERT INTO memberships (tenant_id, user_id, role) SELECT a.tenant_id, u.id, 'owner' FROM apps a, users u`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	one, two := startServe(t, env), startServe(t, env)
	untilReady(t, one, two)
	connect(t, one.info.EdgeURL, "abc")
	connect(t, two.info.EdgeURL, "abc")
	const says = "chat has reached the limit of connections at once"
	mails := func() int { return strings.Count(one.stderr.String(), says) + strings.Count(two.stderr.String(), says) }
	waitFor(t, "a mail", func() bool { return mails() > 0 })
	// Both have looked again by then.
	time.Sleep(20 * time.Second)
	if n := mails(); n != 1 {
		t.Errorf("%d mails\n%s\n%s", n, one.stderr, two.stderr)
	}
	for _, p := range []*process{one, two} {
		if code := p.stop(t, syscall.SIGTERM); code != 0 {
			t.Errorf("exit code %d\n%s", code, p.stderr)
		}
	}
}
