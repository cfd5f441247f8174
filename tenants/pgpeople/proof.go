package pgpeople

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// Proof is what a user was found to be who they are by. To look at a password takes a while, and what comes of it must not outlive
// a password or a second factor that was set meanwhile.
type Proof struct {
	// PasswordHash is the hash that the password was right for.
	PasswordHash string
	// SecondFactor says that there was one to be shown, too.
	SecondFactor bool
}

// errOvertaken is the answer to who logs in while the account changes.
var errOvertaken = tenants.Refuse(tenants.ErrState, "the password or the second factor of this account was changed meanwhile; log in again")

// lockUser keeps the password and the second factor of a user from changing until the transaction ends, and returns the hash.
// Whatever else of the user is locked is locked after it. Errors: [tenants.ErrNotFound].
func lockUser(ctx context.Context, q pgdb.Querier, user uuid.UUID) (passwordHash string, err error) {
	row, err := pgdb.One[struct{ PasswordHash string }](ctx, q, `SELECT password_hash FROM users WHERE id = @user FOR NO KEY UPDATE`, pgx.NamedArgs{"user": user})
	return row.PasswordHash, err
}

// stillGood refuses a proof that has been overtaken, and keeps it from being until the transaction ends.
func stillGood(ctx context.Context, q pgdb.Querier, user uuid.UUID, p Proof) error {
	hash, err := lockUser(ctx, q, user)
	if err != nil {
		return err
	}
	// A statement of its own: it sees what was committed while the first one waited.
	now, err := pgdb.One[struct{ SecondFactor bool }](ctx, q, `
		SELECT EXISTS (SELECT FROM second_factors WHERE user_id = @user AND confirmed_at IS NOT NULL) AS second_factor`,
		pgx.NamedArgs{"user": user})
	if err == nil && (hash != p.PasswordHash || now.SecondFactor != p.SecondFactor) {
		err = errOvertaken
	}
	return err
}
