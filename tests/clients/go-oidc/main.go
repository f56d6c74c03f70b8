// A relying party made of go-oidc and golang.org/x/oauth2, unmodified: the walk that README.md of
// the folder above describes.
//
//	go run . ../../../.portico/ready.json
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

type ready struct {
	Gateway string
	Users   []person
	Clients []registered
}

type person struct{ Kind, Email, Password, ID string }

type registered struct {
	ID            string   `json:"client_id"`
	RedirectURIs  []string `json:"redirect_uris"`
	AfterSignOuts []string `json:"post_logout_redirect_uris"`
}

// relyingParty is an application, the provider that it trusts, and the browser of its user.
type relyingParty struct {
	oauth2.Config
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	browser  *browser
}

func main() {
	if len(os.Args) != 2 {
		fail(errors.New("say where ready.json is"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := walk(ctx, os.Args[1]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "failed:", err)
	os.Exit(1)
}

func walk(ctx context.Context, readyFile string) error {
	platform, user, client, err := readReady(readyFile)
	if err != nil {
		return err
	}
	issuer := platform.Gateway + "/auth"

	app, err := discover(ctx, issuer, client, platform.Gateway)
	if err != nil {
		return err
	}
	step("discover", issuer)

	nonce := rand.Text()
	tokens, err := app.signIn(ctx, user, nonce)
	if err != nil {
		return err
	}
	step("sign-in", fmt.Sprint("code + PKCE, granted ", tokens.Extra("scope")))

	claims, err := app.checkIDToken(ctx, tokens)
	if err != nil {
		return err
	}
	if err := requireEqual("nonce", claims.Nonce, nonce); err != nil {
		return err
	}
	if err := requireEqual("subject of the ID token", claims.Subject, user.ID); err != nil {
		return err
	}
	step("id-token", "sub "+claims.Subject)

	var mismatch *oidc.IssuerMismatchError
	if _, err := oidc.NewProvider(ctx, issuer+"/"); !errors.As(err, &mismatch) {
		return fmt.Errorf("%s/ was not refused, but answered %v", issuer, err)
	}
	step("trailing-slash", issuer+"/ is refused")

	if err := app.checkUserInfo(ctx, tokens, user); err != nil {
		return err
	}
	step("userinfo", user.Email)

	renewed, err := app.refresh(ctx, tokens)
	if err != nil {
		return err
	}
	if err := app.checkUserInfo(ctx, renewed, user); err != nil {
		return err
	}
	step("refresh", "rotated; the new tokens serve")

	// Somebody is signed in; a native application gets no code without them (RFC 8252 section 8.6).
	if err := app.askSilently("interaction_required"); err != nil {
		return err
	}
	if err := app.signOut(renewed, client.AfterSignOuts[0]); err != nil {
		return err
	}
	step("logout", "back at the client; signed in no more")
	return nil
}

func readReady(file string) (platform ready, user person, client registered, err error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return
	}
	if err = json.Unmarshal(content, &platform); err != nil {
		return
	}
	for _, one := range platform.Users {
		if one.Kind == "verified" {
			user = one
		}
	}
	for _, one := range platform.Clients {
		if one.ID == "demo" {
			client = one
		}
	}
	if user.ID == "" || len(client.RedirectURIs) == 0 || len(client.AfterSignOuts) == 0 {
		err = fmt.Errorf("%s has no verified user, or no demo client", file)
	}
	return
}

func discover(ctx context.Context, issuer string, client registered, origin string) (*relyingParty, error) {
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, err
	}
	return &relyingParty{
		Config: oauth2.Config{
			ClientID:    client.ID,
			Endpoint:    provider.Endpoint(),
			RedirectURL: client.RedirectURIs[0],
			Scopes:      []string{"openid", "email", "profile", "offline_access", "posts:read"},
		},
		provider: provider,
		verifier: provider.Verifier(&oidc.Config{ClientID: client.ID}),
		browser:  newBrowser(origin),
	}, nil
}

func (app *relyingParty) signIn(ctx context.Context, user person, nonce string) (*oauth2.Token, error) {
	state, verifier := rand.Text(), oauth2.GenerateVerifier()
	page, err := app.browser.open(app.AuthCodeURL(state,
		oauth2.S256ChallengeOption(verifier), oidc.Nonce(nonce), oauth2.SetAuthURLParam("prompt", "consent")))
	if err != nil {
		return nil, err
	}
	callback, err := app.browser.submit(page, url.Values{"email": {user.Email}, "password": {user.Password}})
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(callback.url.String(), app.RedirectURL) {
		return nil, fmt.Errorf("the sign-in ended at %s", callback.url)
	}
	answer := callback.url.Query()
	if err := requireEqual("state", answer.Get("state"), state); err != nil {
		return nil, err
	}
	return app.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
}

// checkIDToken checks signature, issuer, audience and times.
func (app *relyingParty) checkIDToken(ctx context.Context, tokens *oauth2.Token) (*oidc.IDToken, error) {
	raw, _ := tokens.Extra("id_token").(string)
	return app.verifier.Verify(ctx, raw)
}

func (app *relyingParty) checkUserInfo(ctx context.Context, tokens *oauth2.Token, user person) error {
	info, err := app.provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return err
	}
	if err := requireEqual("subject at userinfo", info.Subject, user.ID); err != nil {
		return err
	}
	return requireEqual("address at userinfo", info.Email, user.Email)
}

func (app *relyingParty) refresh(ctx context.Context, tokens *oauth2.Token) (*oauth2.Token, error) {
	// Without an access token, the library asks for one.
	renewed, err := app.TokenSource(ctx, &oauth2.Token{RefreshToken: tokens.RefreshToken}).Token()
	if err != nil {
		return nil, err
	}
	if renewed.RefreshToken == tokens.RefreshToken {
		return nil, errors.New("the refresh token was not rotated")
	}
	_, err = app.checkIDToken(ctx, renewed)
	return renewed, err
}

// signOut is RP-initiated logout: the button pressed, the way back, and no session in the browser after it.
func (app *relyingParty) signOut(tokens *oauth2.Token, returnTo string) error {
	var server struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := app.provider.Claims(&server); err != nil {
		return err
	}
	idToken, _ := tokens.Extra("id_token").(string)
	state := rand.Text()
	query := url.Values{"id_token_hint": {idToken}, "post_logout_redirect_uri": {returnTo}, "state": {state}}
	page, err := app.browser.open(server.EndSession + "?" + query.Encode())
	if err != nil {
		return err
	}
	back, err := app.browser.submit(page, url.Values{"logout": {"yes"}})
	if err != nil {
		return err
	}
	expected := returnTo + "?" + url.Values{"state": {state}}.Encode()
	if err := requireEqual("place after logout", back.url.String(), expected); err != nil {
		return err
	}
	return app.askSilently("login_required")
}

// askSilently wants this error when the provider may show the person no page.
func (app *relyingParty) askSilently(expected string) error {
	answer, err := app.browser.open(app.AuthCodeURL(rand.Text(),
		oauth2.S256ChallengeOption(oauth2.GenerateVerifier()), oauth2.SetAuthURLParam("prompt", "none")))
	if err != nil {
		return err
	}
	return requireEqual("silent answer", answer.url.Query().Get("error"), expected)
}

func requireEqual(what, seen, expected string) error {
	if seen != expected {
		return fmt.Errorf("%s: %q, not %q", what, seen, expected)
	}
	return nil
}

func step(name, seen string) {
	fmt.Printf("%-16s%s\n", name, seen)
}
