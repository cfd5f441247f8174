package pgpeople_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/internal/testenv"
	"github.com/pealhq/peal/mail/pgoutbox"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/tenants/pgpeople"
)

func TestMain(m *testing.M) { testenv.MainNoLeaks(m) }

// world is a store with one tenant.
type world struct {
	*pgpeople.Store
	db  *pgdb.DB
	ann tenants.Actor
}

func newWorld(t *testing.T) *world {
	t.Helper()
	sealer, err := tenants.NewSealer(tenants.NewKeyEncryptionKey())
	if err != nil {
		t.Fatal(err)
	}
	db, err := pgdb.Open(t.Context(), testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	w := &world{db: db}
	w.Store = pgpeople.New(pgpeople.Config{DB: db, Outbox: pgoutbox.New(pgoutbox.Config{DB: db, Sealer: sealer}), Sealer: sealer})
	m, err := w.SignUp(t.Context(), tenants.Actor{Via: "test"}, pgpeople.SignUp{Email: "ann@example.com", PasswordHash: "x", TenantName: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	w.ann = tenants.Actor{TenantID: m.Tenant.ID, UserID: m.User.ID, Via: "test"}
	return w
}

// joined makes a member and returns the actor that this is.
func (w *world) joined(t *testing.T, email string, role tenants.Role) tenants.Actor {
	t.Helper()
	hash := tenants.HashToken(email)
	if _, err := w.CreateInvitation(t.Context(), w.ann, pgpeople.NewInvitation{Email: email, Role: role, Hash: hash}); err != nil {
		t.Fatal(err)
	}
	id, err := w.AcceptInvitation(t.Context(), tenants.Actor{Via: "test"}, hash, uuid.Nil, "a hash")
	if err != nil {
		t.Fatal(err)
	}
	actor := w.ann
	actor.UserID = id
	return actor
}

func (w *world) count(t *testing.T, sql string) int {
	t.Helper()
	row, err := pgdb.ReadOne[struct{ N int }](t.Context(), w.db, pgdb.Platform(), sql, pgx.NamedArgs{})
	if err != nil {
		t.Fatal(err)
	}
	return row.N
}

// TestATenantKeepsAnOwnerUnderRace has all owners of a tenant go at once, each by another way.
func TestATenantKeepsAnOwnerUnderRace(t *testing.T) {
	w := newWorld(t)
	owners := []tenants.Actor{w.ann}
	for i := range 5 {
		owners = append(owners, w.joined(t, fmt.Sprintf("owner%d@example.com", i), tenants.RoleOwner))
	}
	let := make(chan struct{})
	errs := make([]error, len(owners))
	var all sync.WaitGroup
	for i, o := range owners {
		all.Go(func() {
			<-let
			next := owners[(i+1)%len(owners)]
			switch i % 3 {
			case 0:
				errs[i] = w.LeaveTenant(t.Context(), o)
			case 1:
				_, errs[i] = w.ChangeMemberRole(t.Context(), o, o.UserID, tenants.RoleViewer)
			case 2:
				errs[i] = w.RemoveMember(t.Context(), o, next.UserID)
			}
		})
	}
	close(let)
	all.Wait()
	if n := w.count(t, `SELECT count(*) AS n FROM memberships WHERE role = 'owner'`); n < 1 {
		t.Errorf("%d owners are left; %v", n, errs)
	}
	for i, err := range errs {
		if err != nil && !errors.Is(err, tenants.ErrState) && !errors.Is(err, tenants.ErrForbidden) && !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("owner %d: %v", i, err)
		}
	}
}

// TestTwoOwnersLeaveAtOnce is the smallest case of it, many times.
func TestTwoOwnersLeaveAtOnce(t *testing.T) {
	w := newWorld(t)
	for i := range 10 {
		bo := w.joined(t, fmt.Sprintf("bo%d@example.com", i), tenants.RoleOwner)
		let := make(chan struct{})
		errs := make([]error, 2)
		var all sync.WaitGroup
		for j, o := range []tenants.Actor{w.ann, bo} {
			all.Go(func() {
				<-let
				_, errs[j] = w.ChangeMemberRole(t.Context(), o, o.UserID, tenants.RoleAdmin)
			})
		}
		close(let)
		all.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: %v", i, errs)
		}
		if errs[1] == nil { // then ann is the owner still
			continue
		}
		if err := w.TransferOwnership(t.Context(), bo, w.ann.UserID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnInvitationIsUsedOnceUnderRace(t *testing.T) {
	w := newWorld(t)
	hash := tenants.HashToken("a token")
	if _, err := w.CreateInvitation(t.Context(), w.ann, pgpeople.NewInvitation{Email: "bo@example.com", Role: tenants.RoleViewer, Hash: hash}); err != nil {
		t.Fatal(err)
	}
	let := make(chan struct{})
	var mu sync.Mutex
	joined := 0
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			<-let
			if _, err := w.AcceptInvitation(t.Context(), tenants.Actor{Via: "test"}, hash, uuid.Nil, "a hash"); err == nil {
				mu.Lock()
				joined++
				mu.Unlock()
			} else if !errors.Is(err, tenants.ErrNotFound) && !errors.Is(err, tenants.ErrConflict) {
				t.Error(err)
			}
		})
	}
	close(let)
	all.Wait()
	if users := w.count(t, `SELECT count(*) AS n FROM users`); joined != 1 || users != 2 {
		t.Errorf("%d joined; there are %d users", joined, users)
	}
}

// TestEveryChangeOfPeopleIsAudited does what can be done and counts what is told of it.
func TestEveryChangeOfPeopleIsAudited(t *testing.T) {
	w := newWorld(t)
	bo := w.joined(t, "bo@example.com", tenants.RoleDeveloper)
	before := w.count(t, `SELECT count(*) AS n FROM audit`)
	for action, do := range map[string]func() error{
		"member.role_changed": func() error {
			_, err := w.ChangeMemberRole(t.Context(), w.ann, bo.UserID, tenants.RoleAdmin)
			return err
		},
		"invitation.created": func() error {
			_, err := w.CreateInvitation(t.Context(), w.ann, pgpeople.NewInvitation{Email: "cy@example.com", Role: tenants.RoleViewer, Hash: tenants.HashToken("1")})
			return err
		},
		"user.password_changed": func() error { return w.ChangePassword(t.Context(), bo, "hash", nil, nil) },
		"second_factor.begun":   func() error { return w.BeginSecondFactor(t.Context(), bo, tenants.NewSeed()) },
		"user.email_changed":    func() error { return w.ChangeEmail(t.Context(), bo, "bob@example.com", nil, nil) },
		"session.others_revoked": func() error {
			_, err := w.RevokeOtherSessions(t.Context(), bo, nil)
			return err
		},
	} {
		of := `SELECT count(*) AS n FROM audit WHERE action = '` + action + `'`
		had := w.count(t, of)
		if err := do(); err != nil {
			t.Errorf("%s: %v", action, err)
		}
		after := w.count(t, `SELECT count(*) AS n FROM audit`)
		if n := w.count(t, of) - had; n != 1 || after != before+1 {
			t.Errorf("%s: %d rows, %d of it", action, after-before, n)
		}
		before = after
	}
}

// TestWhoIsRemovedMeanwhileSendsNoInvitation: the removal is under way when the actor's call begins.
func TestWhoIsRemovedMeanwhileSendsNoInvitation(t *testing.T) {
	w := newWorld(t)
	bo := w.joined(t, "bo@example.com", tenants.RoleAdmin)
	made, err := w.CreateInvitation(t.Context(), w.ann, pgpeople.NewInvitation{Email: "cy@example.com", Role: tenants.RoleAdmin, Hash: tenants.HashToken("1")})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	args := pgx.NamedArgs{"tenant": bo.TenantID, "user": bo.UserID}
	err = w.db.Write(t.Context(), pgdb.Platform(), func(q pgdb.Querier) error {
		for _, sql := range []string{
			`UPDATE tenants SET name = name WHERE id = @tenant`,
			`DELETE FROM memberships WHERE tenant_id = @tenant AND user_id = @user`,
		} {
			if _, err := pgdb.Exec(t.Context(), q, sql, args); err != nil {
				return err
			}
		}
		go func() {
			_, err := w.ResendInvitation(t.Context(), bo, made.ID, tenants.HashToken("2"), nil)
			got <- err
		}()
		w.waitsForLock(t, got)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-got; err == nil {
		t.Error("who was removed meanwhile has sent an invitation")
	}
}

// waitsForLock waits until a transaction waits for another, or the call has ended without.
func (w *world) waitsForLock(t *testing.T, ended <-chan error) {
	t.Helper()
	for began := time.Now(); w.count(t, `SELECT count(*) AS n FROM pg_locks WHERE NOT granted`) == 0 && len(ended) == 0; {
		if time.Since(began) > 10*time.Second {
			t.Error("nothing waits")
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestALoginIsOvertaken by another password or a second factor: what was verified before starts nothing.
func TestALoginIsOvertaken(t *testing.T) {
	w := newWorld(t)
	start := func(p pgpeople.Proof) error {
		_, err := w.CreateSession(t.Context(), pgpeople.NewSession{User: w.ann.UserID, Login: p, Hash: tenants.HashToken("1")})
		return err
	}
	challenge := func(p pgpeople.Proof) error {
		return w.CreateChallenge(t.Context(), w.ann.UserID, p, tenants.HashToken("2"))
	}
	before := pgpeople.Proof{PasswordHash: "x"}
	got := make(chan error, 1)
	err := w.db.Write(t.Context(), pgdb.Platform(), func(q pgdb.Querier) error {
		_, err := pgdb.Exec(t.Context(), q, `UPDATE users SET password_hash = 'y' WHERE id = @user`, pgx.NamedArgs{"user": w.ann.UserID})
		go func() { got <- start(before) }()
		w.waitsForLock(t, got)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"a session that was under way": <-got, "a session": start(before), "a challenge": challenge(before),
		"a rehash": w.SetPasswordHash(t.Context(), w.ann.UserID, "x", "z"), "a challenge without a factor": challenge(pgpeople.Proof{PasswordHash: "y", SecondFactor: true}),
	} {
		if !errors.Is(err, tenants.ErrState) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := w.BeginSecondFactor(t.Context(), w.ann, tenants.NewSeed()); err != nil {
		t.Fatal(err)
	}
	now := pgpeople.Proof{PasswordHash: "y"}
	if err := start(now); err != nil {
		t.Error(err)
	}
	err = w.db.Write(t.Context(), pgdb.Platform(), func(q pgdb.Querier) error {
		_, err := pgdb.Exec(t.Context(), q, `UPDATE second_factors SET confirmed_at = now()`, pgx.NamedArgs{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := start(now); !errors.Is(err, tenants.ErrState) {
		t.Errorf("a session without the factor: %v", err)
	}
}
