// The desk works without this script. It keeps the clock, tells of news without reloading (what
// is being typed stays), answers keys, and keeps a form from being sent twice.
(function () {
  'use strict';

  const page = document.body;
  const news = document.getElementById('news');
  const EVERY = 15000;

  // -- the clock: the server's time, whatever this computer thinks -----------------------------

  const clock = document.getElementById('clock');
  let ahead = Number(page.dataset.now) - Date.now();

  function showClock() {
    const beijing = new Date(Date.now() + ahead + 8 * 3600000);
    clock.textContent = beijing.toISOString().slice(11, 16);
  }
  setInterval(showClock, 1000);

  // -- news ------------------------------------------------------------------------------------

  // Says ``text``: as a link or button that shows the news, or plainly when there is none to show.
  function tell(text, plain) {
    const [link, words] = news.children;
    link.hidden = Boolean(plain);
    link.textContent = plain ? '' : text;
    words.textContent = plain ? text : '';
    news.hidden = !text;
  }

  function take(pulse) {
    ahead = pulse.now - Date.now();
    const counts = pulse.counts || {};
    Object.keys(counts).forEach(function (tab) {
      const shown = document.querySelector('[data-count="' + tab + '"]');
      if (shown) shown.textContent = counts[tab];
    });
    const fresh = pulse.newest > Number(page.dataset.newest);
    if (fresh && document.title[0] !== '●') document.title = '● ' + document.title;
    if (pulse.mark !== page.dataset.mark) tell(fresh ? page.dataset.new : page.dataset.changed);
    else tell('');
  }

  let timer = 0;

  async function ask() {
    clearTimeout(timer);
    try {
      const response = await fetch(page.dataset.pulse, {credentials: 'same-origin'});
      const answer = await response.json();
      if (response.ok) take(answer);
      else tell(answer.text || page.dataset.lost, true);
    } catch (error) {
      tell(page.dataset.lost, true);
    }
    clearTimeout(timer);
    timer = setTimeout(ask, EVERY);
  }

  if (news) {
    timer = setTimeout(ask, EVERY);
    window.addEventListener('focus', ask);  // somebody looks again after a while
  }

  const lines = document.querySelector('.lines');
  if (lines) lines.scrollTop = lines.scrollHeight;  // the newest, as in every chat

  // -- a form is sent once, and what is typed is not left by mistake ----------------------------

  let sending = false;

  document.addEventListener('submit', function (event) {
    if (sending) {
      event.preventDefault();
      return;
    }
    sending = event.target.method === 'post';
    setTimeout(function () {  // after the browser has taken up which button was pressed
      if (!sending) return;
      document.querySelectorAll('button').forEach(function (b) { b.disabled = true; });
    }, 0);
  });

  window.addEventListener('pageshow', function (event) {
    if (!event.persisted) return;
    sending = false;
    document.querySelectorAll('button').forEach(function (b) { b.disabled = false; });
  });

  window.addEventListener('beforeunload', function (event) {
    const typed = Array.from(document.querySelectorAll('textarea[form]'));
    if (!sending && typed.some(function (t) { return t.value.trim(); })) {
      event.preventDefault();
      event.returnValue = '';
    }
  });

  // -- keys ------------------------------------------------------------------------------------

  const rows = Array.from(document.querySelectorAll('a.row'));

  function walk(step) {
    const at = rows.indexOf(document.activeElement);
    const to = at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step;
    if (rows[to]) rows[to].focus();
  }

  function showKeys() {
    const button = document.getElementById('keys-button');
    if (!button) return;
    const keys = document.getElementById('keys');
    keys.hidden = !keys.hidden;
    button.setAttribute('aria-expanded', String(!keys.hidden));
    if (!keys.hidden) button.scrollIntoView();
  }

  const keysButton = document.getElementById('keys-button');
  if (keysButton) keysButton.addEventListener('click', showKeys);

  document.addEventListener('keydown', function (event) {
    const at = event.target;
    if (event.key === 'Enter' && event.ctrlKey && at.dataset && at.dataset.send) {
      event.preventDefault();
      document.getElementById(at.dataset.send).click();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (at.closest && at.closest('input,textarea,select')) return;
    const reply = document.getElementById('reply');
    if (event.key === 'j' || event.key === 'ArrowDown') walk(1);
    else if (event.key === 'k' || event.key === 'ArrowUp') walk(-1);
    else if (event.key === '?') showKeys();
    else if (event.key === 'r' && reply) reply.focus();
    else return;
    if (rows.length || event.key[0] !== 'A') event.preventDefault();
  });
}());
