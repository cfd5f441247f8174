package pgseal_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/internal/testenv"
	"github.com/pealhq/peal/mail"
	"github.com/pealhq/peal/mail/pgoutbox"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/tenants/pgpeople"
	"github.com/pealhq/peal/tenants/pgseal"
	"github.com/pealhq/peal/tenants/pgstore"
)

func TestMain(m *testing.M) { testenv.MainNoLeaks(m) }

// process is what one process has on a database: its stores and its key-encryption keys.
type process struct {
	*pgstore.Store
	seals  *pgseal.Store
	people *pgpeople.Store
	outbox *pgoutbox.Outbox
	db     *pgdb.DB
}

func open(t *testing.T, url string, current tenants.KeyEncryptionKey, others ...tenants.KeyEncryptionKey) process {
	t.Helper()
	sealer, err := tenants.NewSealer(current, others...)
	if err != nil {
		t.Fatal(err)
	}
	db, err := pgdb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	outbox := pgoutbox.New(pgoutbox.Config{DB: db, Sealer: sealer})
	return process{
		pgstore.New(pgstore.Config{DB: db, Sealer: sealer}), pgseal.New(db, sealer),
		pgpeople.New(pgpeople.Config{DB: db, Outbox: outbox, Sealer: sealer}), outbox, db,
	}
}

func exec(t *testing.T, url, sql string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func number(t *testing.T, url, sql string, args ...any) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// tenant makes a tenant with an app of so many keys, and returns who acts for it, the app's id and the secrets by key.
func tenant(t *testing.T, p process, appID string, keys int) (tenants.Actor, map[string]string) {
	t.Helper()
	secrets := map[string]string{}
	m := tenants.ManifestApp{ID: appID, Name: "app " + appID}
	for i := range keys {
		public := fmt.Sprintf("key-%s-%03d", appID, i)
		secrets[public] = "secret-of-" + public
		m.Keys = append(m.Keys, tenants.Key{Public: public, Secret: tenants.NewSecret(secrets[public])})
	}
	if _, err := p.Apply(t.Context(), tenants.Actor{Via: "test"}, tenants.Manifest{Tenants: []tenants.ManifestTenant{{Name: "Tenant " + appID, Apps: []tenants.ManifestApp{m}}}}, false); err != nil {
		t.Fatal(err)
	}
	app, err := p.AppByID(t.Context(), appID)
	if err != nil {
		t.Fatal(err)
	}
	return tenants.Actor{TenantID: app.TenantID, Via: "test"}, secrets
}

// TestResealWithTraffic seals everything anew while edges of before and after the rotation read, and while keys are made, revealed
// and rotated: nobody meets an error.
func TestResealWithTraffic(t *testing.T) {
	url := testenv.Postgres(t)
	old, fresh := tenants.NewKeyEncryptionKey(), tenants.NewKeyEncryptionKey()
	before := open(t, url, old, fresh) // an edge that was given the next key beforehand
	after := open(t, url, fresh, old)
	const apps = 15
	actors, secrets := make([]tenants.Actor, apps), make([]map[string]string, apps)
	for i := range apps {
		actors[i], secrets[i] = tenant(t, before, fmt.Sprint(100+i), 15)
	}
	total := number(t, url, `SELECT count(*) FROM keys`)

	var reads, errs atomic.Int64
	stop := make(chan struct{})
	var traffic sync.WaitGroup
	fail := func(what string, err error) {
		errs.Add(1)
		t.Errorf("%s: %v", what, err)
	}
	for i, p := range []process{before, after} {
		traffic.Go(func() {
			for n := i; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				at := n % apps
				id := fmt.Sprint(100 + at)
				app, err := p.AppByID(t.Context(), id)
				if err != nil {
					fail("load", err)
					return
				}
				for public, want := range secrets[at] {
					if k, ok := app.Key(public); !ok || k.Secret.Reveal() != want {
						fail("secret of "+public, errors.New("it is another"))
					}
				}
				if _, err := p.RevealKey(t.Context(), actors[at], id, fmt.Sprintf("key-%s-%03d", id, n%15)); err != nil {
					fail("reveal", err)
				}
				if n%5 == 0 {
					if _, err := p.CreateKey(t.Context(), actors[at], id, pgstore.KeyWish{Scopes: tenants.ScopeAll}); err != nil && !errors.Is(err, tenants.ErrLimit) {
						fail("create", err)
					}
				}
				reads.Add(1)
			}
		})
	}
	var tells []pgseal.Progress
	done, err := after.seals.Reseal(t.Context(), tenants.Actor{Via: "test"}, func(p pgseal.Progress) { tells = append(tells, p) })
	close(stop)
	traffic.Wait()
	if err != nil || len(done) == 0 || done[0].Place != "keys" || done[0].Resealed < total || done[0].Unreadable != 0 {
		t.Errorf("resealed %+v, %v; there were %d keys", done, err, total)
	}
	if len(tells) < total/100 || tells[len(tells)-1].Resealed != done[0].Resealed {
		t.Errorf("told %+v", tells)
	}
	t.Logf("%d keys sealed anew, %d rounds of traffic meanwhile, %d errors", done[0].Resealed, reads.Load(), errs.Load())

	// What edges that still seal with the old key made meanwhile is left for another run.
	if _, err := after.seals.Reseal(t.Context(), tenants.Actor{Via: "test"}, func(pgseal.Progress) {}); err != nil {
		t.Fatal(err)
	}
	alone := open(t, url, fresh)
	if err := alone.seals.Check(t.Context()); err != nil {
		t.Errorf("with the new key alone: %v", err)
	}
	for at := range apps {
		app, err := alone.AppByID(t.Context(), fmt.Sprint(100+at))
		if err != nil {
			t.Fatal(err)
		}
		for public, want := range secrets[at] {
			if k, _ := app.Key(public); k.Secret.Reveal() != want {
				t.Errorf("the secret of %s is lost", public)
			}
		}
	}
	if n := number(t, url, `SELECT count(*) FROM audit WHERE action = 'key.resealed' AND tenant_id = $1`, actors[0].TenantID); n < 15 {
		t.Errorf("%d keys of a tenant are in its log", n)
	}
	if n := number(t, url, `SELECT count(*) FROM audit WHERE action = 'key.resealed' AND NOT detail ? 'before'`); n != 0 {
		t.Errorf("%d rows of the log do not say what was", n)
	}
}

// TestEveryPlaceIsResealed has something of every kind sealed by the store whose it is, and that store open it afterwards.
func TestEveryPlaceIsResealed(t *testing.T) {
	url := testenv.Postgres(t)
	old, fresh := tenants.NewKeyEncryptionKey(), tenants.NewKeyEncryptionKey()
	before, after, alone := open(t, url, old), open(t, url, fresh, old), open(t, url, fresh)
	tenant(t, before, "1", 1)
	m, err := before.people.SignUp(t.Context(), tenants.Actor{Via: "test"}, pgpeople.SignUp{Email: "ann@example.com", PasswordHash: "x", TenantName: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	ann := tenants.Actor{TenantID: m.Tenant.ID, UserID: m.User.ID, Via: "test"}
	if err := before.people.BeginSecondFactor(t.Context(), ann, tenants.NewSecret("JBSWY3DPEHPK3PXP")); err != nil {
		t.Fatal(err)
	}
	exec(t, url, `UPDATE second_factors SET confirmed_at = now()`)
	if err := alone.seals.Check(t.Context()); !errors.Is(err, tenants.ErrKeyEncryptionKey) {
		t.Errorf("before: %v", err)
	}
	err = before.db.ChangeIn(t.Context(), pgdb.Platform(), ann, func(c pgdb.Change) error {
		return before.outbox.Enqueue(t.Context(), c, mail.Message{To: "ann@example.com", Subject: "s", Text: "the text"})
	})
	if err != nil {
		t.Fatal(err)
	}
	done, err := after.seals.Reseal(t.Context(), tenants.Actor{Via: "test"}, func(pgseal.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range done {
		if p.Resealed < 1 || p.Resealed != p.Of || p.Unreadable != 0 {
			t.Errorf("%+v", p)
		}
	}
	if err := alone.seals.Check(t.Context()); err != nil {
		t.Errorf("after: %v", err)
	}
	for range done[2].Of {
		if w, err := alone.outbox.Claim(t.Context(), time.Minute); err != nil || w == nil || w.Message.Text == "" {
			t.Errorf("claimed %v, %v", w, err)
		}
	}
}

// TestAResealGoesOnWhereItWasBrokenOff, and several at once do what one does.
func TestAResealGoesOnWhereItWasBrokenOff(t *testing.T) {
	url := testenv.Postgres(t)
	old, fresh := tenants.NewKeyEncryptionKey(), tenants.NewKeyEncryptionKey()
	before, after := open(t, url, old), open(t, url, fresh, old)
	for i := range 16 {
		tenant(t, before, fmt.Sprint(100+i), 20)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done, err := after.seals.Reseal(ctx, tenants.Actor{Via: "test"}, func(pgseal.Progress) { cancel() })
	if err == nil || done[0].Resealed != 100 {
		t.Fatalf("broken off: %+v, %v", done, err)
	}
	var wg sync.WaitGroup
	var all atomic.Int64
	for range 3 {
		wg.Go(func() {
			done, err := after.seals.Reseal(t.Context(), tenants.Actor{Via: "test"}, func(pgseal.Progress) {})
			if err != nil {
				t.Error(err)
				return
			}
			all.Add(int64(done[0].Resealed))
		})
	}
	wg.Wait()
	if all.Load() != 220 {
		t.Errorf("%d were sealed anew after the first 100 of 320", all.Load())
	}
	if n := number(t, url, `SELECT count(*) FROM audit WHERE action = 'key.resealed'`); n != 320 {
		t.Errorf("%d rows in the log", n)
	}
	if err := open(t, url, fresh).seals.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWhatDoesNotOpenIsLeftAlone(t *testing.T) {
	url := testenv.Postgres(t)
	lost, old, fresh := tenants.NewKeyEncryptionKey(), tenants.NewKeyEncryptionKey(), tenants.NewKeyEncryptionKey()
	tenant(t, open(t, url, lost), "1", 3)
	ann, _ := tenant(t, open(t, url, old), "2", 3)
	bo, _ := tenant(t, open(t, url, old), "3", 3)
	p := open(t, url, fresh, old)
	if err := p.seals.Check(t.Context()); !errors.Is(err, tenants.ErrKeyEncryptionKey) {
		t.Errorf("with a key that is missing: %v", err)
	}

	// One tenant's sealed secret lies in another's row, of a key with the same name as nobody else's.
	exec(t, url, `UPDATE keys SET sealed = (SELECT sealed FROM keys WHERE public = 'key-2-000') WHERE public = 'key-3-000'`)
	for who, c := range map[string]struct {
		actor tenants.Actor
		app   string
		key   string
		ok    bool
	}{
		"its own":   {ann, "2", "key-2-000", true},
		"another's": {bo, "3", "key-3-000", false},
	} {
		if _, err := p.RevealKey(t.Context(), c.actor, c.app, c.key); (err == nil) != c.ok {
			t.Errorf("%s: %v", who, err)
		}
	}
	done, err := p.seals.Reseal(t.Context(), tenants.Actor{Via: "test"}, func(pgseal.Progress) {})
	if err != nil || done[0].Resealed != 5 || done[0].Unreadable != 4 {
		t.Errorf("resealed %+v, %v", done, err)
	}
	counts, err := p.seals.Counts(t.Context())
	if err != nil || len(counts) != 3 {
		t.Errorf("counts %+v, %v", counts, err)
	}
	earlier, missing := p.seals.Judge(counts)
	if earlier != 1 || len(missing) != 1 {
		t.Errorf("%d of an earlier key, %v missing", earlier, missing)
	}

	// Keys that are revoked need nothing.
	exec(t, url, `UPDATE keys SET state = 'revoked', revoked_at = now() WHERE app_id = '1'`)
	if err := p.seals.Check(t.Context()); err != nil {
		t.Errorf("when nothing in use needs it: %v", err)
	}
}
