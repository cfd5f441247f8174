package pgpeople

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/mail"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// Link is a mail to a user with a link that is good once.
type Link struct {
	// Hash is that of the link's token.
	Hash []byte
	Mail mail.Message
}

// The purposes of links.
const (
	purposeVerify = "verify"
	purposeChange = "change"
	purposeReset  = "reset"
)

// sendLink sends a user the link that verifies the address of its mail, unless it is nil.
func (c change) sendLink(ctx context.Context, user uuid.UUID, link *Link) error {
	if link == nil {
		return nil
	}
	return c.insertLink(ctx, user, purposeVerify, tenants.VerifyLinkLife, *link)
}

// insertLink sends a link, which takes the place of the one before for the same purpose.
func (c change) insertLink(ctx context.Context, user uuid.UUID, purpose string, life time.Duration, link Link) error {
	_, err := pgdb.Exec(ctx, c, `
		INSERT INTO user_links (token_hash, user_id, purpose, email, expires_at)
		VALUES (@hash, @user, @purpose, @email, now() + @life)
		ON CONFLICT (user_id, purpose) DO UPDATE
		SET token_hash = excluded.token_hash, email = excluded.email, created_at = now(), expires_at = excluded.expires_at`,
		pgx.NamedArgs{"hash": link.Hash, "user": user, "purpose": purpose, "email": link.Mail.To, "life": life})
	if err != nil {
		return fmt.Errorf("insert link: %w", err)
	}
	link.Mail.Until = time.Now().Add(life)
	return c.post(ctx, &link.Mail)
}

// SendVerification sends the actor another link that verifies the address.
func (s *Store) SendVerification(ctx context.Context, actor tenants.Actor, link Link) error {
	err := s.platformChange(ctx, actor, func(c change) error {
		if err := c.sendLink(ctx, actor.UserID, &link); err != nil {
			return err
		}
		return c.auditUser(ctx, actor.UserID, "user.verification_sent", pgdb.Created(pgdb.Fields{"email": link.Mail.To}))
	})
	if err != nil {
		return fmt.Errorf("send verification: %w", err)
	}
	return nil
}

// SendReset sends a user the link to set another password.
func (s *Store) SendReset(ctx context.Context, actor tenants.Actor, user uuid.UUID, link Link) error {
	err := s.platformChange(ctx, actor, func(c change) error {
		if err := c.insertLink(ctx, user, purposeReset, tenants.ResetLinkLife, link); err != nil {
			return err
		}
		return c.auditUser(ctx, user, "user.password_reset_requested", nil)
	})
	if err != nil {
		return fmt.Errorf("send reset: %w", err)
	}
	return nil
}

// linkRow is a link that was followed.
type linkRow struct {
	UserID  uuid.UUID
	Purpose string
	// Email is where it went, and Current the user's address.
	Email, Current string
}

// clearUnverified takes from a user whose address was never verified what whoever signed up with it has set, since that may be
// somebody else: the second factor, and all links.
func (c change) clearUnverified(ctx context.Context, user uuid.UUID) error {
	args := pgx.NamedArgs{"user": user}
	n, err := pgdb.Exec(ctx, c, `
		DELETE FROM second_factors
		WHERE user_id = @user AND (SELECT email_verified_at IS NULL FROM users WHERE id = @user)`, args)
	if err != nil {
		return fmt.Errorf("delete second factor: %w", err)
	}
	_, err = pgdb.Exec(ctx, c, `
		DELETE FROM user_links
		WHERE user_id = @user AND (SELECT email_verified_at IS NULL FROM users WHERE id = @user)`, args)
	if err != nil {
		return fmt.Errorf("delete links: %w", err)
	}
	if n == 0 {
		return nil
	}
	return c.auditUser(ctx, user, "second_factor.disabled", nil)
}

// useLink uses a link up. Errors: [tenants.ErrNotFound].
func (c change) useLink(ctx context.Context, hash []byte, purposes ...string) (linkRow, error) {
	// The user first, as whoever sets a password does: else the two wait for each other.
	_, err := pgdb.Exec(ctx, c, `
		SELECT FROM users WHERE id = (SELECT user_id FROM user_links WHERE token_hash = @hash) FOR NO KEY UPDATE`,
		pgx.NamedArgs{"hash": hash})
	if err != nil {
		return linkRow{}, fmt.Errorf("lock user of a link: %w", err)
	}
	return pgdb.One[linkRow](ctx, c, `
		DELETE FROM user_links l
		USING users u
		WHERE l.token_hash = @hash AND l.purpose = ANY(@purposes) AND l.expires_at > now() AND u.id = l.user_id
		RETURNING l.user_id, l.purpose, l.email, u.email AS current`,
		pgx.NamedArgs{"hash": hash, "purposes": purposes})
}

// VerifyEmail notes that an address is its user's, and makes it the one to sign in with where that was asked for. Errors:
// [tenants.ErrNotFound], a conflict on "email".
func (s *Store) VerifyEmail(ctx context.Context, actor tenants.Actor, hash []byte) (email string, err error) {
	err = s.platformChange(ctx, actor, func(c change) error {
		link, err := c.useLink(ctx, hash, purposeVerify, purposeChange)
		if err != nil {
			return err
		}
		// A link to an address that is the user's no longer verifies nothing.
		if link.Purpose == purposeVerify && link.Email != link.Current {
			return tenants.ErrNotFound
		}
		c.Actor.UserID, email = link.UserID, link.Email
		if err := c.setEmail(ctx, link.UserID, link.Email, true); err != nil {
			return err
		}
		if link.Purpose == purposeChange {
			return c.auditUser(ctx, link.UserID, "user.email_changed", pgdb.Changed(pgdb.Fields{"email": link.Current}, pgdb.Fields{"email": link.Email}))
		}
		return c.auditUser(ctx, link.UserID, "user.email_verified", pgdb.Changed(pgdb.Fields{"email_verified": false}, pgdb.Fields{"email_verified": true}))
	})
	if err != nil {
		return "", fmt.Errorf("verify email: %w", err)
	}
	return email, nil
}

// setEmail sets the address of a user. Links that went to another one to set a password no longer work.
func (c change) setEmail(ctx context.Context, user uuid.UUID, email string, verified bool) error {
	_, err := pgdb.Exec(ctx, c, `
		UPDATE users
		SET email = @email, email_verified_at = CASE WHEN @verified THEN now() END
		WHERE id = @user`,
		pgx.NamedArgs{"user": user, "email": email, "verified": verified})
	if pgdb.Violates(err, "users_email_key") {
		return tenants.Conflict("email", "has another account already")
	}
	if err != nil {
		return fmt.Errorf("set email: %w", err)
	}
	_, err = pgdb.Exec(ctx, c, `DELETE FROM user_links WHERE user_id = @user AND email <> @email`, pgx.NamedArgs{"user": user, "email": email})
	if err != nil {
		return fmt.Errorf("delete links: %w", err)
	}
	return nil
}

// ChangeEmail has the actor sign in with another address: once the link to it is followed, or at once where there is none. notice
// tells the address before. Errors: a conflict on "email".
func (s *Store) ChangeEmail(ctx context.Context, actor tenants.Actor, email string, link *Link, notice *mail.Message) error {
	err := s.platformChange(ctx, actor, func(c change) error {
		taken, err := pgdb.One[struct {
			Taken  bool
			Before string
		}](ctx, c, `
			SELECT
				EXISTS (SELECT FROM users WHERE lower(email) = lower(@email) AND id <> @user) AS taken,
				coalesce((SELECT email FROM users WHERE id = @user), '') AS before`,
			pgx.NamedArgs{"email": email, "user": actor.UserID})
		switch {
		case err != nil:
			return err
		case taken.Taken:
			return tenants.Conflict("email", "has another account already")
		}
		if err := c.post(ctx, notice); err != nil {
			return err
		}
		if link != nil {
			if err := c.insertLink(ctx, actor.UserID, purposeChange, tenants.VerifyLinkLife, *link); err != nil {
				return err
			}
			return c.auditUser(ctx, actor.UserID, "user.email_change_requested", pgdb.Created(pgdb.Fields{"email": email}))
		}
		if err := c.setEmail(ctx, actor.UserID, email, false); err != nil {
			return err
		}
		return c.auditUser(ctx, actor.UserID, "user.email_changed", pgdb.Changed(pgdb.Fields{"email": taken.Before}, pgdb.Fields{"email": email}))
	})
	if err != nil {
		return fmt.Errorf("change email: %w", err)
	}
	return nil
}

// ChangePassword sets the hash of the actor's password, and ends all sessions of the actor but the one with this hash.
func (s *Store) ChangePassword(ctx context.Context, actor tenants.Actor, passwordHash string, session []byte, notice *mail.Message) error {
	err := s.platformChange(ctx, actor, func(c change) error {
		if err := c.setPassword(ctx, actor.UserID, passwordHash); err != nil {
			return err
		}
		if _, err := c.endSessions(ctx, actor.UserID, session); err != nil {
			return err
		}
		if err := c.post(ctx, notice); err != nil {
			return err
		}
		return c.auditUser(ctx, actor.UserID, "user.password_changed", nil)
	})
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	return nil
}

// ResetLink returns the address of the user whom a link to set another password is for. Errors: [tenants.ErrNotFound].
func (s *Store) ResetLink(ctx context.Context, hash []byte) (email string, err error) {
	row, err := pgdb.ReadOne[struct{ Email string }](ctx, s.db, pgdb.Platform(), `
		SELECT u.email
		FROM user_links l
		JOIN users u ON u.id = l.user_id
		WHERE l.token_hash = @hash AND l.purpose = 'reset' AND l.expires_at > now() AND l.email = u.email`,
		pgx.NamedArgs{"hash": hash})
	if err != nil {
		return "", fmt.Errorf("reset link: %w", err)
	}
	return row.Email, nil
}

// ResetPassword sets the hash of the password of the user whom a link was sent to, which verifies the address as well, and ends all
// sessions of that user. The first time it does, it takes away what whoever signed up has set. Errors: [tenants.ErrNotFound].
func (s *Store) ResetPassword(ctx context.Context, actor tenants.Actor, hash []byte, passwordHash string, notice *mail.Message) error {
	err := s.platformChange(ctx, actor, func(c change) error {
		link, err := c.useLink(ctx, hash, purposeReset)
		if err != nil {
			return err
		}
		if link.Email != link.Current {
			return tenants.ErrNotFound
		}
		c.Actor.UserID = link.UserID
		if err := c.setPassword(ctx, link.UserID, passwordHash); err != nil {
			return err
		}
		if err := c.clearUnverified(ctx, link.UserID); err != nil {
			return err
		}
		if err := c.isOf(ctx, link.UserID, link.Email, true); err != nil {
			return err
		}
		if _, err := c.endSessions(ctx, link.UserID, nil); err != nil {
			return err
		}
		if err := c.post(ctx, notice); err != nil {
			return err
		}
		return c.auditUser(ctx, link.UserID, "user.password_reset", nil)
	})
	if err != nil {
		return fmt.Errorf("reset password: %w", err)
	}
	return nil
}

// setPassword sets the hash of a user's password. Logins that wait for a code are over by it, and so are links to set another and
// links to another address: who had the password before may have asked for them.
func (c change) setPassword(ctx context.Context, user uuid.UUID, hash string) error {
	for _, sql := range []string{
		`UPDATE users SET password_hash = @hash WHERE id = @user`,
		`DELETE FROM login_challenges WHERE user_id = @user`,
		`DELETE FROM user_links WHERE user_id = @user AND purpose IN ('reset', 'change')`,
	} {
		if _, err := pgdb.Exec(ctx, c, sql, pgx.NamedArgs{"user": user, "hash": hash}); err != nil {
			return fmt.Errorf("set password: %w", err)
		}
	}
	return nil
}
