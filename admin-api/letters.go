package adminapi

import (
	"fmt"
	"strings"

	"github.com/pealhq/peal/mail"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgpeople"
)

// Mails that the control plane writes. A link holds its token behind the #, which browsers send to nobody: neither a log nor
// another site gets to see it.

// link returns the address of a page with a new token, and the token's hash.
func (s *server) link(page string) (address string, hash []byte) {
	token := tenants.NewSessionToken()
	return s.page(page) + "#" + token.Reveal(), tenants.HashToken(token.Reveal())
}

// page returns the address of a page of the dashboard. It never comes from what the caller says of the host.
func (s *server) page(path string) string {
	return strings.TrimSuffix(s.ControlURL.String(), "/") + path
}

func letter(to, subject string, paragraphs ...string) mail.Message {
	return mail.Message{To: to, Subject: subject, Text: strings.Join(paragraphs, "\n\n") + "\n"}
}

// invitationLetter brings the link of an invitation. What others have named is in quotes: it is not Peal that says it.
func invitationLetter(to, inviter, tenant string, role tenants.Role, address string) *mail.Message {
	m := letter(to, fmt.Sprintf("Join “%s” on Peal", tenant),
		"Hello,",
		fmt.Sprintf("%s invites you to work in “%s” on Peal, as %s.", inviter, tenant, role),
		"Accept the invitation here, within seven days:",
		address,
		"If you do not know who this is, do nothing, and nothing happens.")
	return &m
}

// verifyLink is the mail that shows whether an address is its user's.
func (s *server) verifyLink(email string) *pgpeople.Link {
	address, hash := s.link("/verify-email")
	return &pgpeople.Link{Hash: hash, Mail: letter(email, "Verify your email address",
		"Hello,",
		"Verify that this address is yours, within seven days:",
		address,
		"If you have no account on Peal and have not asked for this, do nothing.")}
}

// changeLink is the mail to the address that is to take the place of another.
func (s *server) changeLink(email string) *pgpeople.Link {
	address, hash := s.link("/verify-email")
	return &pgpeople.Link{Hash: hash, Mail: letter(email, "Verify your new email address",
		"Hello,",
		"This address is to be the one that you log in to Peal with. Verify that it is yours, within seven days:",
		address,
		"Until then the address before counts. If you have not asked for this, do nothing.")}
}

func (s *server) resetLink(email string) pgpeople.Link {
	address, hash := s.link("/reset-password")
	return pgpeople.Link{Hash: hash, Mail: letter(email, "Set another password",
		"Hello,",
		"Somebody has asked for another password for your account on Peal. Set one here, within an hour:",
		address,
		"If that was not you, do nothing: your password stays as it is.")}
}

// notice tells a user of a change of the account that somebody else could have made, or nobody where no mail is sent.
func (s *server) notice(to, subject, what string) *mail.Message {
	if !s.SendsMail {
		return nil
	}
	m := letter(to, subject, "Hello,", what, "If that was not you, set another password at once:", s.page("/forgot-password"))
	return &m
}
