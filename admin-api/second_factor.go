package adminapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgpeople"
)

var errNoChallenge = connect.NewError(connect.CodeUnauthenticated, errors.New("the login took too long; begin it again"))

// codeError tells what is wrong with a code.
func codeError(err error) error {
	var blocked pgpeople.BlockedError
	switch {
	case errors.Is(err, pgpeople.ErrWrongCode):
		return tenants.Invalid("code", "is not right, or was used before; wait for the next one, and check the clock of the device that shows it")
	case errors.As(err, &blocked):
		return tooMany(blocked.Wait)
	default:
		return err
	}
}

// challenge ends the first step of a login: a cookie says that the password of this user was right.
func (s *server) challenge(ctx context.Context, creds pgpeople.Credentials) error {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return errors.New("challenge outside of a call")
	}
	token := tenants.NewSessionToken()
	if err := s.People.CreateChallenge(ctx, creds.UserID, creds.Proof(), tenants.HashToken(token.Reveal())); err != nil {
		return err
	}
	s.setChallengeCookie(info.ResponseHeader(), token.Reveal(), int(tenants.ChallengeLife.Seconds()))
	return nil
}

func (s *server) challengeCookieName() string { return s.cookieName() + "_login" }

func (s *server) setChallengeCookie(h http.Header, value string, maxAge int) {
	c := &http.Cookie{ //nolint:gosec // As of the session's cookie.
		Name: s.challengeCookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.secure(),
	}
	h.Add("Set-Cookie", c.String())
}

// LogInSecondFactor implements AuthService.
func (s *server) LogInSecondFactor(ctx context.Context, req *adminv1.LogInSecondFactorRequest) (*adminv1.LogInSecondFactorResponse, error) {
	if wait := s.limits.loginByIP.take(network(peerIP(ctx)), time.Now()); wait > 0 {
		return nil, tooMany(wait)
	}
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return nil, errors.New("log in outside of a call")
	}
	cookie, err := (&http.Request{Header: info.RequestHeader()}).Cookie(s.challengeCookieName())
	if err != nil {
		return nil, errNoChallenge
	}
	user, login, err := s.People.AnswerChallenge(ctx, actor(ctx), tenants.HashToken(cookie.Value), req.GetCode())
	if errors.Is(err, tenants.ErrNotFound) || errors.Is(err, tenants.ErrState) {
		return nil, errNoChallenge
	}
	if err != nil {
		return nil, codeError(err)
	}
	s.setChallengeCookie(info.ResponseHeader(), "", -1)
	who, err := s.startSession(ctx, user, login, uuid.Nil)
	if err != nil {
		return nil, err
	}
	return &adminv1.LogInSecondFactorResponse{Account: accountToProto(who)}, nil
}

// GetSecondFactor implements SecondFactorService.
func (s *server) GetSecondFactor(ctx context.Context, _ *adminv1.GetSecondFactorRequest) (*adminv1.GetSecondFactorResponse, error) {
	f, err := s.People.SecondFactor(ctx, caller(ctx).User.ID)
	if err != nil {
		return nil, err
	}
	resp := &adminv1.GetSecondFactorResponse{RecoveryCodesLeft: int32(f.RecoveryCodesLeft)} //nolint:gosec // Ten at most.
	if !f.EnabledAt.IsZero() {
		resp.Enabled, resp.EnableTime = true, timestamppb.New(f.EnabledAt)
	}
	return resp, nil
}

// BeginSecondFactor implements SecondFactorService.
func (s *server) BeginSecondFactor(ctx context.Context, req *adminv1.BeginSecondFactorRequest) (*adminv1.BeginSecondFactorResponse, error) {
	// Else who signs up with somebody else's address could lock its owner out.
	if err := s.needsVerified(caller(ctx).User); err != nil {
		return nil, err
	}
	email := caller(ctx).User.Email
	if err := s.checkPassword(ctx, "password", email, req.GetPassword()); err != nil {
		return nil, err
	}
	seed := tenants.NewSeed()
	url, err := tenants.SeedURL(seed, email)
	if err != nil {
		return nil, err
	}
	size, path, err := qrCode(url.Reveal())
	if err != nil {
		return nil, err
	}
	if err := s.People.BeginSecondFactor(ctx, actor(ctx), seed); err != nil {
		return nil, err
	}
	return &adminv1.BeginSecondFactorResponse{
		Secret: seed.Reveal(), Url: url.Reveal(), QrSize: int32(size), QrPath: path, //nolint:gosec // A QR code has less than 200 modules a side.
	}, nil
}

// ConfirmSecondFactor implements SecondFactorService.
func (s *server) ConfirmSecondFactor(ctx context.Context, req *adminv1.ConfirmSecondFactorRequest) (*adminv1.ConfirmSecondFactorResponse, error) {
	who := identityOf(ctx)
	codes := tenants.NewRecoveryCodes()
	notice := s.notice(who.User.Email, "Two-factor login is on", "Your account on Peal is now logged in to with a second factor, and all other sessions have ended.")
	if err := s.People.ConfirmSecondFactor(ctx, actor(ctx), req.GetCode(), codes, who.session, notice); err != nil {
		return nil, codeError(err)
	}
	if err := s.rotateSession(ctx); err != nil {
		// The factor is on, and nobody sees these codes another time.
		s.Logger.ErrorContext(ctx, "session keeps its token", slog.String("request_id", requestid.From(ctx)), slog.Any("err", err))
	}
	return &adminv1.ConfirmSecondFactorResponse{RecoveryCodes: revealed(codes)}, nil
}

// DisableSecondFactor implements SecondFactorService.
func (s *server) DisableSecondFactor(ctx context.Context, req *adminv1.DisableSecondFactorRequest) (*adminv1.DisableSecondFactorResponse, error) {
	email := caller(ctx).User.Email
	if err := s.checkPassword(ctx, "password", email, req.GetPassword()); err != nil {
		return nil, err
	}
	notice := s.notice(email, "Two-factor login is off", "Your account on Peal is now logged in to with the password alone.")
	if err := s.People.DisableSecondFactor(ctx, actor(ctx), req.GetCode(), notice); err != nil {
		return nil, codeError(err)
	}
	return &adminv1.DisableSecondFactorResponse{}, s.rotateSession(ctx)
}

// RegenerateRecoveryCodes implements SecondFactorService.
func (s *server) RegenerateRecoveryCodes(ctx context.Context, req *adminv1.RegenerateRecoveryCodesRequest) (*adminv1.RegenerateRecoveryCodesResponse, error) {
	if err := s.checkPassword(ctx, "password", caller(ctx).User.Email, req.GetPassword()); err != nil {
		return nil, err
	}
	codes := tenants.NewRecoveryCodes()
	if err := s.People.ReplaceRecoveryCodes(ctx, actor(ctx), req.GetCode(), codes); err != nil {
		return nil, codeError(err)
	}
	return &adminv1.RegenerateRecoveryCodesResponse{RecoveryCodes: revealed(codes)}, nil
}

func revealed(codes []tenants.Secret) []string {
	list := make([]string, 0, len(codes))
	for _, c := range codes {
		list = append(list, c.Reveal())
	}
	return list
}
