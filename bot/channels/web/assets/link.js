/* The line to the server: plain XMLHttpRequest and a long poll, which every old browser has
   and every proxy lets through. */
(function () {
  'use strict';

  const POLL_SECONDS = 25;
  const SLACK_SECONDS = 10;
  const LONGEST_BACK_OFF = 30;

  /* Call `done(status, answer)`; status 0 means that no answer came. */
  function request(method, url, body, seconds, done) {
    const call = new XMLHttpRequest();
    call.open(method, url);
    call.timeout = seconds * 1000;
    call.setRequestHeader('X-Suifawen', '1');
    if (body) call.setRequestHeader('Content-Type', 'application/json');
    call.onloadend = () => {
      let answer = null;
      try {
        answer = JSON.parse(call.responseText);
      } catch (notOurs) { /* a proxy's error page, or nothing at all */ }
      done(call.status, answer);
    };
    call.send(body ? JSON.stringify(body) : null);
    return call;
  }

  /* Milliseconds to wait after so many failures: 1, 2, 4… 30 s, spread so that a village
     whose network comes back does not come all at once. */
  function backOff(failures) {
    const seconds = Math.min(Math.pow(2, failures - 1), LONGEST_BACK_OFF);
    return seconds * (800 + Math.random() * 400);
  }

  /* Ask for what is new, again and again. `known` is what the page has: thread, last line, and
     whether that is all there is, so that it pays to wait. `onUpdates` takes an answer,
     `onState` is told `connected`, `lost` or `expired`. */
  function Receiver(known, onUpdates, onState) {
    let call = null;
    let timer = 0;
    let failures = 0;
    let askedAt = 0;
    let again = false;           // something was sent after the question was asked

    function ask() {
      clearTimeout(timer);
      again = false;
      const wait = known.all && !failures ? POLL_SECONDS : 0;   // after a failure: know quickly
      const url = '/chat/updates?after=' + known.last + '&thread=' + known.thread +
        '&wait=' + wait;
      askedAt = Date.now();
      const mine = request('GET', url, null, POLL_SECONDS + SLACK_SECONDS, (status, answer) => {
        if (mine !== call) return;
        call = null;
        if (status === 200 && answer && answer.messages) {
          failures = 0;
          onState('connected');
          onUpdates(answer);
          later(again ? 0 : answer.pause * 1000);
        } else {
          failures += 1;
          onState(status === 403 ? 'expired' : 'lost');
          later(backOff(failures));
        }
      });
      call = mine;
    }

    function later(milliseconds) {
      clearTimeout(timer);
      timer = setTimeout(ask, milliseconds);
    }

    return {
      /* Ask now, or as soon as the question under way is answered. */
      poke() {
        again = true;
        if (!call) ask();
      },
      /* Ask anew: after sleep or a change of network the old question may never be answered. */
      wake() {
        if (call && Date.now() - askedAt < 2000) return;
        const old = call;
        call = null;
        if (old) old.abort();
        ask();
      }
    };
  }

  window.suifawen = { request, backOff, Receiver };
}());
