package pgpeople

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/mail"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// ErrWrongCode says that a code is not one of the second factor, or was used before.
var ErrWrongCode = errors.New("wrong code")

// BlockedError says that too many codes were wrong.
type BlockedError struct{ Wait time.Duration }

func (e BlockedError) Error() string { return "no code is looked at for " + e.Wait.String() }

// After freeFailures wrong codes in a row each further one doubles the time until another is looked at, up to mostBlocked. Who
// guesses gets some hundred of a million codes a day; who has the password and no code keeps the owner waiting that long at most.
const (
	freeFailures = 5
	firstBlocked = 30 * time.Second
	mostBlocked  = 15 * time.Minute
)

// SecondFactor is what a user has to show besides the password.
type SecondFactor struct {
	// EnabledAt is zero while it is off.
	EnabledAt         time.Time
	RecoveryCodesLeft int
}

// SecondFactor returns a user's.
func (s *Store) SecondFactor(ctx context.Context, user uuid.UUID) (SecondFactor, error) {
	row, err := pgdb.ReadOne[struct {
		ConfirmedAt *time.Time
		Codes       int
	}](ctx, s.db, pgdb.Platform(), `
		SELECT
			(SELECT confirmed_at FROM second_factors WHERE user_id = @user) AS confirmed_at,
			(SELECT count(*) FROM recovery_codes WHERE user_id = @user) AS codes`,
		pgx.NamedArgs{"user": user})
	if err != nil {
		return SecondFactor{}, fmt.Errorf("second factor: %w", err)
	}
	f := SecondFactor{RecoveryCodesLeft: row.Codes}
	if row.ConfirmedAt != nil {
		f.EnabledAt = *row.ConfirmedAt
	}
	return f, nil
}

func seedContext(user uuid.UUID) string { return "second factor|" + user.String() }

// BeginSecondFactor keeps a seed for the actor, which nobody is asked for yet. Errors: [tenants.ErrState] when there is a factor.
func (s *Store) BeginSecondFactor(ctx context.Context, actor tenants.Actor, seed tenants.Secret) error {
	sealed := s.sealer.SealText(seedContext(actor.UserID), seed)
	err := s.platformChange(ctx, actor, func(c change) error {
		n, err := pgdb.Exec(ctx, c, `
			INSERT INTO second_factors (user_id, sealed, sealed_with)
			VALUES (@user, @sealed, @with)
			ON CONFLICT (user_id) DO UPDATE
			SET sealed = excluded.sealed, sealed_with = excluded.sealed_with, created_at = now()
			WHERE second_factors.confirmed_at IS NULL`,
			pgx.NamedArgs{"user": actor.UserID, "sealed": sealed.Bytes, "with": sealed.With})
		if err != nil {
			return err
		}
		if n == 0 {
			return tenants.Refuse(tenants.ErrState, "there is a second factor already; turn it off first")
		}
		return c.auditUser(ctx, actor.UserID, "second_factor.begun", nil)
	})
	if err != nil {
		return fmt.Errorf("begin second factor: %w", err)
	}
	return nil
}

type factorRow struct {
	Sealed      []byte
	SealedWith  string
	ConfirmedAt *time.Time
	LastStep    int64
	Failures    int
	// BlockedFor is in seconds, and not above zero when no code is waited for.
	BlockedFor float64
}

// lockFactor returns a user's second factor, and keeps everybody else from showing a code meanwhile. Errors: [tenants.ErrState] when
// it is not as confirmed as asked.
func (c change) lockFactor(ctx context.Context, user uuid.UUID, confirmed bool) (factorRow, error) {
	row, err := pgdb.One[factorRow](ctx, c, `
		SELECT sealed, sealed_with, confirmed_at, last_step, failures,
			CASE WHEN blocked_until > clock_timestamp() THEN extract(epoch FROM blocked_until - clock_timestamp())::float8 ELSE 0 END AS blocked_for
		FROM second_factors
		WHERE user_id = @user
		FOR UPDATE`,
		pgx.NamedArgs{"user": user})
	switch {
	case errors.Is(err, tenants.ErrNotFound):
		return row, tenants.Refuse(tenants.ErrState, "there is no second factor; load the page again")
	case err != nil:
		return row, err
	case confirmed && row.ConfirmedAt == nil:
		return row, tenants.Refuse(tenants.ErrState, "the second factor is not on; load the page again")
	case !confirmed && row.ConfirmedAt != nil:
		return row, tenants.Refuse(tenants.ErrState, "there is a second factor already; turn it off first")
	}
	return row, nil
}

// withCode runs f in a transaction when a code of the user is right, which it uses up. That a code was wrong is noted whatever comes
// of it. Errors: [ErrWrongCode], [BlockedError], [tenants.ErrState].
func (s *Store) withCode(ctx context.Context, actor tenants.Actor, user uuid.UUID, code string, confirmed bool, f func(change) error) error {
	var wrong error
	err := s.platformChange(ctx, actor, func(c change) error {
		if _, err := lockUser(ctx, c, user); err != nil {
			return err
		}
		row, err := c.lockFactor(ctx, user, confirmed)
		if err != nil {
			return err
		}
		if row.BlockedFor > 0 {
			return BlockedError{time.Duration(row.BlockedFor * float64(time.Second))}
		}
		right, err := s.useCode(ctx, c, user, row, code)
		if err != nil {
			return err
		}
		if !right {
			wrong = ErrWrongCode
			return c.noteFailure(ctx, user, row.Failures+1)
		}
		return f(c)
	})
	return errors.Join(err, wrong)
}

// useCode uses up a code of the app or, once the factor is confirmed, a recovery code, and tells whether it was right.
func (s *Store) useCode(ctx context.Context, c change, user uuid.UUID, row factorRow, code string) (bool, error) {
	seed, err := s.sealer.OpenText(seedContext(user), tenants.Sealed{Bytes: row.Sealed, With: row.SealedWith})
	if err != nil {
		return false, err
	}
	step, err := tenants.CodeStep(seed, code, time.Now(), row.LastStep)
	if err != nil {
		return false, err
	}
	if step > 0 {
		_, err := pgdb.Exec(ctx, c, `
			UPDATE second_factors
			SET last_step = @step, failures = 0, blocked_until = '-infinity'
			WHERE user_id = @user`,
			pgx.NamedArgs{"user": user, "step": step})
		return true, err
	}
	if row.ConfirmedAt == nil {
		return false, nil
	}
	n, err := pgdb.Exec(ctx, c, `DELETE FROM recovery_codes WHERE user_id = @user AND code_hash = @hash`,
		pgx.NamedArgs{"user": user, "hash": tenants.HashRecoveryCode(user, code)})
	if err != nil || n == 0 {
		return false, err
	}
	if _, err := pgdb.Exec(ctx, c, `UPDATE second_factors SET failures = 0, blocked_until = '-infinity' WHERE user_id = @user`, pgx.NamedArgs{"user": user}); err != nil {
		return false, err
	}
	return true, c.auditUser(ctx, user, "second_factor.recovery_code_used", nil)
}

func (c change) noteFailure(ctx context.Context, user uuid.UUID, failures int) error {
	var blocked time.Duration
	if over := failures - freeFailures; over > 0 {
		blocked = mostBlocked
		if over < 6 { // 30 s × 2⁵ is more than the most
			blocked = min(mostBlocked, firstBlocked<<(over-1))
		}
	}
	// Not now(), which is when the transaction began: it may have waited for others since.
	_, err := pgdb.Exec(ctx, c, `
		UPDATE second_factors
		SET failures = @failures, blocked_until = clock_timestamp() + @blocked::interval
		WHERE user_id = @user`,
		pgx.NamedArgs{"user": user, "failures": failures, "blocked": blocked})
	return err
}

// ConfirmSecondFactor turns the actor's second factor on by its first code, keeps the recovery codes and ends all sessions of the
// actor but the one with this hash. Errors: as of withCode.
func (s *Store) ConfirmSecondFactor(ctx context.Context, actor tenants.Actor, code string, recovery []tenants.Secret, session []byte, notice *mail.Message) error {
	err := s.withCode(ctx, actor, actor.UserID, code, false, func(c change) error {
		_, err := pgdb.Exec(ctx, c, `UPDATE second_factors SET confirmed_at = now() WHERE user_id = @user`, pgx.NamedArgs{"user": actor.UserID})
		if err != nil {
			return err
		}
		if err := c.setRecoveryCodes(ctx, actor.UserID, recovery); err != nil {
			return err
		}
		if _, err := c.endSessions(ctx, actor.UserID, session); err != nil {
			return err
		}
		if err := c.post(ctx, notice); err != nil {
			return err
		}
		return c.auditUser(ctx, actor.UserID, "second_factor.enabled", nil)
	})
	if err != nil {
		return fmt.Errorf("confirm second factor: %w", err)
	}
	return nil
}

// DisableSecondFactor turns the actor's second factor off, by a code of it. Errors: as of withCode.
func (s *Store) DisableSecondFactor(ctx context.Context, actor tenants.Actor, code string, notice *mail.Message) error {
	err := s.withCode(ctx, actor, actor.UserID, code, true, func(c change) error {
		if _, err := pgdb.Exec(ctx, c, `DELETE FROM second_factors WHERE user_id = @user`, pgx.NamedArgs{"user": actor.UserID}); err != nil {
			return err
		}
		if err := c.post(ctx, notice); err != nil {
			return err
		}
		return c.auditUser(ctx, actor.UserID, "second_factor.disabled", nil)
	})
	if err != nil {
		return fmt.Errorf("disable second factor: %w", err)
	}
	return nil
}

// ReplaceRecoveryCodes has other recovery codes take the place of the actor's, by a code of the factor. Errors: as of withCode.
func (s *Store) ReplaceRecoveryCodes(ctx context.Context, actor tenants.Actor, code string, recovery []tenants.Secret) error {
	err := s.withCode(ctx, actor, actor.UserID, code, true, func(c change) error {
		if err := c.setRecoveryCodes(ctx, actor.UserID, recovery); err != nil {
			return err
		}
		return c.auditUser(ctx, actor.UserID, "second_factor.recovery_codes_replaced", nil)
	})
	if err != nil {
		return fmt.Errorf("replace recovery codes: %w", err)
	}
	return nil
}

func (c change) setRecoveryCodes(ctx context.Context, user uuid.UUID, codes []tenants.Secret) error {
	hashes := make([][]byte, 0, len(codes))
	for _, code := range codes {
		hashes = append(hashes, tenants.HashRecoveryCode(user, code.Reveal()))
	}
	if _, err := pgdb.Exec(ctx, c, `DELETE FROM recovery_codes WHERE user_id = @user`, pgx.NamedArgs{"user": user}); err != nil {
		return err
	}
	_, err := pgdb.Exec(ctx, c, `INSERT INTO recovery_codes (user_id, code_hash) SELECT @user, unnest(@hashes::bytea[])`,
		pgx.NamedArgs{"user": user, "hashes": hashes})
	return err
}

// UseCode uses up a code of a user's second factor. Errors: as of withCode.
func (s *Store) UseCode(ctx context.Context, actor tenants.Actor, user uuid.UUID, code string) error {
	actor.UserID = user
	return s.withCode(ctx, actor, user, code, true, func(change) error { return nil })
}

// CreateChallenge notes that a user's password was right, and that the code is to come. Errors: [tenants.ErrState] where the login
// has been overtaken.
func (s *Store) CreateChallenge(ctx context.Context, user uuid.UUID, login Proof, hash []byte) error {
	err := s.db.Write(ctx, pgdb.Platform(), func(q pgdb.Querier) error {
		if err := stillGood(ctx, q, user, login); err != nil {
			return err
		}
		_, err := pgdb.Exec(ctx, q, `
			INSERT INTO login_challenges (token_hash, user_id, expires_at)
			VALUES (@hash, @user, now() + @life)`,
			pgx.NamedArgs{"hash": hash, "user": user, "life": tenants.ChallengeLife})
		return err
	})
	if err != nil {
		return fmt.Errorf("create challenge: %w", err)
	}
	return nil
}

// AnswerChallenge uses up a challenge and a code of its user, and returns who that is, and by what. A challenge whose code was wrong
// waits for another. Errors: [tenants.ErrNotFound] for a challenge that is unknown or over, and those of withCode.
func (s *Store) AnswerChallenge(ctx context.Context, actor tenants.Actor, hash []byte, code string) (user uuid.UUID, login Proof, err error) {
	args := pgx.NamedArgs{"hash": hash}
	row, err := pgdb.ReadOne[struct{ UserID uuid.UUID }](ctx, s.db, pgdb.Platform(), `
		SELECT user_id
		FROM login_challenges
		WHERE token_hash = @hash AND expires_at > now()`, args)
	if err != nil {
		return uuid.Nil, login, fmt.Errorf("challenge: %w", err)
	}
	actor.UserID = row.UserID
	err = s.withCode(ctx, actor, row.UserID, code, true, func(c change) error {
		n, err := pgdb.Exec(ctx, c, `DELETE FROM login_challenges WHERE token_hash = @hash AND expires_at > now()`, args)
		if err == nil && n == 0 {
			err = tenants.ErrNotFound
		}
		if err != nil {
			return err
		}
		// Another password would have ended the challenge: it is for the one that there is.
		login.SecondFactor = true
		login.PasswordHash, err = lockUser(ctx, c, row.UserID)
		return err
	})
	if err != nil {
		return uuid.Nil, login, fmt.Errorf("answer challenge: %w", err)
	}
	return row.UserID, login, nil
}
