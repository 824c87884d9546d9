import assert from "node:assert/strict";
import { test } from "node:test";
import { forwardedUri, rewriteHtml, rewriteUrl } from "./http-forward-rewrite.ts";

const rewriting = { prefix: "/api/v1/namespaces/a/services/b/proxy", hosts: ["localhost:8001", "10.0.0.7:80"] } as const;
const p = rewriting.prefix;

for (const [url, want] of [
  ["/", `${p}/`], ["/x/y", `${p}/x/y`], ["/x/?q=/z#f", `${p}/x/?q=/z#f`], ["x/y", "x/y"], ["#here", "#here"], ["?a=/b", "?a=/b"],
  ["http://10.0.0.7:80/x", `${p}/x`], ["http://localhost:8001/x", `http://localhost:8001${p}/x`], ["//10.0.0.7:80/x", `${p}/x`],
  ["http://elsewhere/x", "http://elsewhere/x"], [`${p}/x`, `${p}/x`], ["/../../etc", "/api/v1/namespaces/a/services/etc"], ["mailto:a@b", "mailto:a@b"], ["", ""],
] as const)
  test(`the URL "${url}" is "${want}" for the client`, () => assert.equal(rewriteUrl(url, rewriting), want));

for (const [html, want] of [
  ['<a href="/x">t</a>', `<a href="${p}/x">t</a>`],
  ["<A HREF='/x' class=y>", `<A HREF='${p}/x' class=y>`],
  ["<img src=/i.png>", `<img src=${p}/i.png>`],
  ['<a href="/x?a=1&amp;b=2">', `<a href="${p}/x?a=1&amp;b=2">`],
  ['<div href="/x" data-src="/y">', '<div href="/x" data-src="/y">'],
  ['<!-- <a href="/x"> --><link rel="a" href="/y"/>', `<!-- <a href="/x"> --><link rel="a" href="${p}/y"/>`],
  ['<script src="/s.js">document.write(\'<a href="/x">\')</script>', `<script src="${p}/s.js">document.write('<a href="/x">')</script>`],
  ['<style>a { background: url("/x") }</style>', '<style>a { background: url("/x") }</style>'],
  ['text with < and href="/x" in it', 'text with < and href="/x" in it'],
  ['<a title="1>0" href="/x">', `<a title="1>0" href="${p}/x">`],
  ['<a href="/x', '<a href="/x'], ["<!-- open", "<!-- open"], ['<script>"<a href=/x>"', '<script>"<a href=/x>"'],
  ['<form action="/a" method=post>', `<form action="${p}/a" method=post>`],
] as const)
  test(`the page ${html} becomes ${want}`, () => assert.equal(rewriteHtml(html, rewriting), want));

test("X-Forwarded-Uri keeps the slash at the end", () => {
  assert.deepEqual([forwardedUri(p, "/"), forwardedUri(p, "/x/"), forwardedUri(p, "/x")], [`${p}/`, `${p}/x/`, `${p}/x`]);
});

test("hostile pages take time in proportion to their length", () => {
  for (const piece of ["<!--", "<a ", "<script>", "<a x", "x", '<a "', "<a href=", "<a href='", "</", "<", "<a/"]) {
    const html = piece.repeat(200_000);
    assert.equal(rewriteHtml(html, rewriting).length, html.length, piece);
  }
});
