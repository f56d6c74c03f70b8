package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// browser is as much of one as a person needs: cookies, redirects, and the first form of a page.
type browser struct {
	origin string
	http   http.Client
}

// visit is a page, or only its address where it is not the platform's.
type visit struct {
	url  *url.URL
	body string
}

func newBrowser(origin string) *browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	b := &browser{origin: origin}
	b.http = http.Client{
		Jar:     jar,
		Timeout: 15 * time.Second,
		// Nobody listens where the client is: a redirect that leaves the platform is the answer.
		CheckRedirect: func(next *http.Request, _ []*http.Request) error {
			if !strings.HasPrefix(next.URL.String(), b.origin+"/") {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
	return b
}

func (b *browser) open(address string) (visit, error) {
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return visit{}, err
	}
	request.Header.Set("Sec-Fetch-Site", "none")
	return b.send(request)
}

func (b *browser) submit(page visit, typed url.Values) (visit, error) {
	action, fields, err := firstForm(page)
	if err != nil {
		return visit{}, err
	}
	for name, values := range typed {
		fields[name] = values
	}
	request, err := http.NewRequest(http.MethodPost, action.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		return visit{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(request)
}

func (b *browser) send(request *http.Request) (visit, error) {
	request.Header.Set("Accept", "text/html")
	response, err := b.http.Do(request)
	if err != nil {
		return visit{}, err
	}
	defer response.Body.Close()
	left, err := response.Location()
	if err == nil {
		return visit{url: left}, nil
	}
	if !errors.Is(err, http.ErrNoLocation) {
		return visit{}, err
	}
	body, err := io.ReadAll(response.Body)
	return visit{url: response.Request.URL, body: string(body)}, err
}

// firstForm answers where a page's first form is sent, and its hidden fields.
func firstForm(page visit) (*url.URL, url.Values, error) {
	document, err := html.Parse(strings.NewReader(page.body))
	if err != nil {
		return nil, nil, err
	}
	var form *html.Node
	fields := url.Values{}
	for node := range document.Descendants() {
		switch {
		case node.Data == "form" && form == nil:
			form = node
		case node.Data == "input" && form != nil && attribute(node, "type") == "hidden" && isInside(node, form):
			fields.Set(attribute(node, "name"), attribute(node, "value"))
		}
	}
	if form == nil {
		return nil, nil, fmt.Errorf("there is no form at %s:\n%s", page.url, page.body)
	}
	action, err := page.url.Parse(attribute(form, "action"))
	return action, fields, err
}

func isInside(node, ancestor *html.Node) bool {
	for one := range node.Ancestors() {
		if one == ancestor {
			return true
		}
	}
	return false
}

func attribute(node *html.Node, key string) string {
	for _, one := range node.Attr {
		if one.Key == key {
			return one.Val
		}
	}
	return ""
}
