package adminapi

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgstore"
)

func permissionFromProto(p adminv1.Permission) tenants.Permission {
	switch p {
	case adminv1.Permission_PERMISSION_PUBLIC:
		return public
	case adminv1.Permission_PERMISSION_SIGNED_IN:
		return signedIn
	case adminv1.Permission_PERMISSION_APPS_READ:
		return tenants.AppsRead
	case adminv1.Permission_PERMISSION_APPS_WRITE:
		return tenants.AppsWrite
	case adminv1.Permission_PERMISSION_APPS_DELETE:
		return tenants.AppsDelete
	case adminv1.Permission_PERMISSION_KEYS_READ:
		return tenants.KeysRead
	case adminv1.Permission_PERMISSION_KEYS_REVEAL:
		return tenants.KeysReveal
	case adminv1.Permission_PERMISSION_KEYS_WRITE:
		return tenants.KeysWrite
	case adminv1.Permission_PERMISSION_EVENTS_PUBLISH:
		return tenants.EventsPublish
	case adminv1.Permission_PERMISSION_USAGE_READ:
		return tenants.UsageRead
	case adminv1.Permission_PERMISSION_AUDIT_READ:
		return tenants.AuditRead
	case adminv1.Permission_PERMISSION_MEMBERS_READ:
		return tenants.MembersRead
	case adminv1.Permission_PERMISSION_MEMBERS_WRITE:
		return tenants.MembersWrite
	case adminv1.Permission_PERMISSION_TENANT_TRANSFER:
		return tenants.TenantTransfer
	case adminv1.Permission_PERMISSION_TOKENS_MANAGE:
		return tenants.TokensManage
	case adminv1.Permission_PERMISSION_SESSION:
		return inSession
	case adminv1.Permission_PERMISSION_ALERTS_WRITE:
		return tenants.AlertsWrite
	case adminv1.Permission_PERMISSION_PLATFORM_OPERATE:
		return tenants.PlatformOperate
	case adminv1.Permission_PERMISSION_UNSPECIFIED:
		return unnamed
	default:
		return unnamed
	}
}

// permissionToProto is the other way of permissionFromProto.
func permissionToProto(p tenants.Permission) adminv1.Permission {
	for n := range adminv1.Permission_name {
		if q := adminv1.Permission(n); permissionFromProto(q) == p {
			return q
		}
	}
	return adminv1.Permission_PERMISSION_UNSPECIFIED
}

func permissionsToProto(list []tenants.Permission) []adminv1.Permission {
	var permissions []adminv1.Permission
	for _, p := range list {
		permissions = append(permissions, permissionToProto(p))
	}
	return permissions
}

func accountToProto(who identity) *adminv1.Account {
	a := &adminv1.Account{
		UserId:        who.User.ID.String(),
		Email:         who.User.Email,
		TenantId:      who.Tenant.ID.String(),
		TenantName:    who.Tenant.Name,
		Role:          string(who.Role),
		Permissions:   permissionsToProto(who.permissions()),
		EmailVerified: who.User.EmailVerified,
		SecondFactor:  who.User.SecondFactor,
		Operator:      who.User.Operator,
		SuspendedFor:  who.Tenant.SuspendedFor,
		Impersonating: who.Impersonating,
	}
	if t := who.token; t != nil {
		a.Token = &adminv1.CallingToken{Id: t.ID.String(), Name: t.Name, ExpireTime: timestamppb.New(t.ExpiresAt)}
	}
	return a
}

func appToProto(a *tenants.App) *adminv1.App {
	return &adminv1.App{Id: a.ID, Name: a.Name, Enabled: a.Enabled, CreateTime: timestamppb.New(a.CreatedAt)}
}

func keyToProto(k tenants.Key) *adminv1.Key {
	return &adminv1.Key{
		Key: k.Public, AppId: k.AppID, Label: k.Label, Scopes: keyScopesToProto(k.Scopes), State: keyStateToProto(k.State),
		CreateTime: timeToProto(k.CreatedAt), RetireTime: timeToProto(k.RetiresAt), RevokeTime: timeToProto(k.RevokedAt),
		LastUseTime: timeToProto(k.LastUsedAt),
	}
}

// timeToProto leaves out a time that is none.
func timeToProto(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func keyScopesToProto(s tenants.KeyScopes) []adminv1.KeyScope {
	var scopes []adminv1.KeyScope
	for _, name := range s.Names() {
		scopes = append(scopes, adminv1.KeyScope(adminv1.KeyScope_value["KEY_SCOPE_"+strings.ToUpper(name)]))
	}
	return scopes
}

func keyWishFromProto(req *adminv1.CreateKeyRequest) (want pgstore.KeyWish, err error) {
	names := make([]string, 0, len(req.GetScopes()))
	for _, s := range req.GetScopes() {
		names = append(names, strings.ToLower(strings.TrimPrefix(s.String(), "KEY_SCOPE_")))
	}
	if want.Scopes, err = tenants.CheckKeyScopes("scopes", names); err != nil {
		return want, err
	}
	want.Label, err = tenants.CheckLabel("label", req.GetLabel())
	return want, err
}

func keyStateToProto(s tenants.KeyState) adminv1.KeyState {
	switch s {
	case tenants.KeyActive:
		return adminv1.KeyState_KEY_STATE_ACTIVE
	case tenants.KeyRetiring:
		return adminv1.KeyState_KEY_STATE_RETIRING
	case tenants.KeyRevoked:
		return adminv1.KeyState_KEY_STATE_REVOKED
	default:
		return adminv1.KeyState_KEY_STATE_UNSPECIFIED
	}
}

// settingsToProto tells all settings of an app. The fields of features have the names of tenants.FeatureFields.
func settingsToProto(a *tenants.App) *adminv1.AppSettings {
	features := &adminv1.Features{}
	for _, f := range tenants.FeatureFields() {
		m := features.ProtoReflect()
		m.Set(m.Descriptor().Fields().ByName(protoreflect.Name(f.Name)), protoreflect.ValueOfBool(*f.Of(&a.Features)))
	}
	p := &adminv1.AppSettings{AppId: a.ID, Features: features, Origins: a.Origins}
	for _, r := range a.ChannelRules {
		p.ChannelRules = append(p.ChannelRules, &adminv1.ChannelRule{
			Pattern: r.Pattern,
			Log:     &adminv1.ChannelLog{Size: int32(r.Log.Size), TtlSeconds: int32(r.Log.TTL / time.Second)}, //nolint:gosec // far below 2³¹
		})
	}
	for _, f := range tenants.LimitFields() {
		_, set := a.LimitsSet[f.Name]
		var planned *int32
		if most, ok := a.PlanLimits[f.Name]; ok {
			planned = new(int32(most)) //nolint:gosec // limits are below 2³¹
		}
		p.Limits = append(p.Limits, &adminv1.Limit{
			PlanValue: planned, Together: f.Together,
			Name: f.Name, Value: int32(f.Get(&a.Limits)), Set: set, //nolint:gosec // limits are far below 2³¹
			DefaultValue: int32(f.Default), Min: int32(f.Min), Max: int32(f.Max), //nolint:gosec // the same
			Unit: limitUnitToProto(f.Unit()),
		})
	}
	return p
}

func limitUnitToProto(u tenants.LimitUnit) adminv1.LimitUnit {
	switch u {
	case tenants.UnitPerSecond:
		return adminv1.LimitUnit_LIMIT_UNIT_PER_SECOND
	case tenants.UnitBytes:
		return adminv1.LimitUnit_LIMIT_UNIT_BYTES
	case tenants.UnitCharacters:
		return adminv1.LimitUnit_LIMIT_UNIT_CHARACTERS
	case tenants.UnitSeconds:
		return adminv1.LimitUnit_LIMIT_UNIT_SECONDS
	case tenants.UnitPerDay:
		return adminv1.LimitUnit_LIMIT_UNIT_PER_DAY
	case tenants.UnitThings:
		return adminv1.LimitUnit_LIMIT_UNIT_UNSPECIFIED
	default:
		return adminv1.LimitUnit_LIMIT_UNIT_UNSPECIFIED
	}
}

// settingsFromProto returns the change that a request asks for, checked. Errors name the fields of the request.
func settingsFromProto(req *adminv1.UpdateAppSettingsRequest) (tenants.SettingsChange, error) {
	change := tenants.SettingsChange{Features: map[string]bool{}, Limits: limitsFromProto(req.GetLimits())}
	req.GetFeatures().ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		change.Features[string(f.Name())] = v.Bool()
		return true
	})
	if req.Origins != nil {
		list, err := tenants.CheckOrigins("origins.list", req.GetOrigins().GetList())
		if err != nil {
			return change, err
		}
		change.Origins = &list
	}
	if req.ChannelRules != nil {
		rules, err := tenants.CheckChannelRules("channel_rules.list", rulesFromProto(req.GetChannelRules().GetList()))
		if err != nil {
			return change, err
		}
		change.ChannelRules = &rules
	}
	return change, change.Check("")
}

// limitsFromProto returns the limits that are to be set, by name; nil where one is to be no more.
func limitsFromProto(changes *adminv1.LimitChanges) map[string]*int {
	set := map[string]*int{}
	changes.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		set[string(f.Name())] = nil
		if c, ok := v.Message().Interface().(*adminv1.LimitChange); ok && c.Value != nil {
			n := int(c.GetValue())
			set[string(f.Name())] = &n
		}
		return true
	})
	return set
}

func rulesFromProto(list []*adminv1.ChannelRule) tenants.ChannelRules {
	rules := make(tenants.ChannelRules, 0, len(list))
	for _, r := range list {
		log := tenants.NewChannelLog(int(r.GetLog().GetSize()), int(r.GetLog().GetTtlSeconds()))
		rules = append(rules, tenants.ChannelRule{Pattern: r.GetPattern(), Log: log})
	}
	return rules
}

// pageToken writes the place after an app in the list of apps.
func pageToken(a *tenants.App) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(a.CreatedAt.UnixMicro(), 10) + "/" + a.ID))
}

// pageFromToken reads what pageToken wrote. An empty token is the start of the list, which is nil.
func pageFromToken(token string) (*pgstore.AppPage, error) {
	if token == "" {
		return nil, nil //nolint:nilnil // The start of the list is no place in it.
	}
	bad := tenants.Invalid("page_token", "is not one that this method returned")
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, bad
	}
	micros, id, ok := strings.Cut(string(text), "/")
	at, err := strconv.ParseInt(micros, 10, 64)
	if !ok || err != nil || tenants.CheckAppID("page_token", id) != nil {
		return nil, bad
	}
	return &pgstore.AppPage{CreatedAt: time.UnixMicro(at), ID: id}, nil
}
