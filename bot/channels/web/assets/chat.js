/* The chat: what the person does, what arrives, and where it goes on the page. */
(function () {
  'use strict';

  const words = suifawen.words;
  const element = suifawen.element;
  const log = document.getElementById('log');
  const input = document.getElementById('words');
  const composer = document.getElementById('composer');
  const thinking = document.getElementById('thinking');
  const status = document.getElementById('status');
  const header = document.querySelector('.top');
  const below = document.getElementById('below');
  const DRAFT = 'sfw.draft';
  const QUIET_MINUTES = 30;      // after such a silence the time is shown
  const TAP_AGAIN = 1200;        // milliseconds
  const THINKING_AFTER = 700;    // milliseconds: a quick answer needs no "please wait"
  const THINKING_LONG = 8000;
  const THINKING_GIVES_UP = 60000;

  const known = { thread: '', last: 0, all: false };   // `all`: the history has been shown
  let shown = [];                // {seq, element} of every stored line, oldest first
  let bubbles = {};              // by key: own messages whose stored line has not come yet
  let lastAt = null;
  let thinkingTimer = 0;
  let submitted = { text: '', at: 0 };
  const outbox = suifawen.Outbox(onSending);
  const receiver = suifawen.Receiver(known, onUpdates, onConnection);

  // -- sending ---------------------------------------------------------------------------

  function submit(text, choice) {
    // A trembling finger taps twice and means once.
    const twice = text === submitted.text && Date.now() - submitted.at < TAP_AGAIN;
    submitted = { text, at: Date.now() };
    if (twice) return;
    const item = outbox.add(text, choice);
    addBubble(item);
    reveal(bubbles[item.key].element);
    outbox.flush();
  }

  function addBubble(item) {
    const takeBack = item.choice ? null : () => {
      outbox.remove(item.key);
      bubbles[item.key].element.remove();
      delete bubbles[item.key];
      setWords(input.value ? item.text + '\n' + input.value : item.text);
      input.focus();
    };
    const bubble = suifawen.renderBubble(item.text, () => outbox.flush(item.key), takeBack);
    bubbles[item.key] = bubble;
    log.appendChild(bubble.element);
  }

  function onSending(item, state, reason) {
    const bubble = bubbles[item.key];
    if (!bubble) return;         // it has already come back as a stored line
    bubble.sentAt = state === 'sent' ? Date.now() : 0;
    bubble.show(state, reason);
    if (state === 'sent') receiver.poke();
    updateThinking();
  }

  // -- receiving -------------------------------------------------------------------------

  function onUpdates(updates) {
    if (updates.thread !== known.thread) {
      if (known.thread) clearLog();
      known.thread = updates.thread;
    }
    forgetBefore(updates.first);
    const followed = isAtEnd();
    let firstNew = null;
    updates.messages.forEach(message => {
      if (message.seq <= known.last) return;
      known.last = message.seq;
      const added = addMessage(message);
      firstNew = firstNew || added;
    });
    if (firstNew) {
      foldOlderButtons();
      if (!known.all) reveal(lastOwn() || firstNew);
      else if (followed) reveal(questionBefore(firstNew));
      else if (below.hidden) announce(firstNew);
    }
    if (!updates.messages.length) {
      known.all = true;
      log.removeAttribute('aria-busy');
    }
    updateThinking();
  }

  function addMessage(message) {
    const bubble = bubbles[message.key];
    let made;
    if (message.author === 'citizen') {
      delete bubbles[message.key];
      outbox.remove(message.key);
      if (!message.text && !bubble) return null;
      const own = bubble || suifawen.renderBubble(message.text);
      if (message.text) own.setText(message.text);   // a phone number is stored masked
      own.show('stored');
      made = own.element;
    } else {
      made = suifawen.renderLetter(message, (choice, label) => submit(label, choice), known.all);
    }
    addTime(message.at);
    insert(made);
    shown.push({ seq: message.seq, element: made });
    return made;
  }

  function addTime(iso) {
    const at = new Date(iso);
    if (lastAt && at - lastAt < QUIET_MINUTES * 60000) return;
    lastAt = at;
    const time = at.getHours() + ':' + ('0' + at.getMinutes()).slice(-2);
    const today = at.toDateString() === new Date().toDateString();
    const day = { time, month: at.getMonth() + 1, day: at.getDate() };
    insert(element('p', 'time', suifawen.say(today ? 'today' : 'day', day)));
  }

  /* What is still on its way stays under what is stored. */
  function insert(made) {
    const first = Object.keys(bubbles)[0];
    log.insertBefore(made, first ? bubbles[first].element : null);
  }

  /* What was deleted leaves the screen, too: the phone may be somebody else's. */
  function forgetBefore(first) {
    if (!shown.length || first <= shown[0].seq) return;
    clearLog();
  }

  function clearLog() {
    log.textContent = '';
    shown = [];
    bubbles = {};
    lastAt = null;
    known.last = 0;
    outbox.waiting().forEach(addBubble);
  }

  function onConnection(state) {
    if (state === 'connected') {
      if (status.textContent) outbox.flush();
      status.textContent = '';
    } else if (state === 'expired') {
      status.textContent = words.expired;
    } else {
      status.textContent = navigator.onLine === false ? words.offline : words.reconnecting;
    }
  }

  // -- where the eye goes ----------------------------------------------------------------

  /* Whether the end of the conversation is in sight. */
  function isAtEnd() {
    return log.getBoundingClientRect().bottom < window.innerHeight;
  }

  /* Bring the beginning of something to the top: a letter is read from its first line. */
  function reveal(target) {
    below.hidden = true;
    const top = target.getBoundingClientRect().top + window.pageYOffset;
    window.scrollTo(0, top - header.offsetHeight - 8);
  }

  /* Tell somebody who reads further up that there is something new, and lead there. */
  function announce(made) {
    below.onclick = () => reveal(made);
    below.hidden = false;
  }

  function lastOwn() {
    const own = log.querySelectorAll('.own');
    return own[own.length - 1];
  }

  /* The answer is shown together with the question it belongs to. */
  function questionBefore(made) {
    const before = made.previousElementSibling;
    return before && before.classList.contains('own') ? before : made;
  }

  /* Only the newest answer has its buttons open; older ones keep theirs behind one line. */
  function foldOlderButtons() {
    const all = log.querySelectorAll('.actions');
    for (let i = 0; i < all.length - 1; i += 1) all[i].open = false;
  }

  function updateThinking() {
    clearTimeout(thinkingTimer);
    const since = Object.keys(bubbles).map(key => bubbles[key].sentAt).filter(Boolean)[0];
    const waited = Date.now() - since;
    thinking.hidden = !since || waited < THINKING_AFTER || waited > THINKING_GIVES_UP;
    thinking.textContent = waited > THINKING_LONG ? words.thinking_long : words.thinking;
    if (waited < THINKING_GIVES_UP) thinkingTimer = setTimeout(updateThinking, 300);
  }

  // -- writing ---------------------------------------------------------------------------

  function setWords(text) {
    input.value = text;
    suifawen.store.set(DRAFT, text);
    input.style.height = 'auto';
    input.style.height = Math.min(input.scrollHeight + 2, window.innerHeight * 0.4) + 'px';
  }

  composer.addEventListener('submit', event => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) {
      input.focus();
      return;
    }
    setWords('');
    // On a phone the keyboard would hide the answer.
    if (window.matchMedia && matchMedia('(pointer: coarse)').matches) input.blur();
    submit(text);
  });

  input.addEventListener('input', () => setWords(input.value));
  input.addEventListener('keydown', event => {
    // 229: an input method is still composing, and Enter belongs to it.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== 'Enter' || event.shiftKey || composing) return;
    event.preventDefault();
    composer.querySelector('.send').click();
  });

  Array.from(document.querySelectorAll('.example')).forEach(example => {
    example.addEventListener('click', () => submit(example.textContent));
  });

  below.textContent = words.new_below;

  window.addEventListener('scroll', () => {
    if (isAtEnd()) below.hidden = true;
  });

  // -- large text ------------------------------------------------------------------------

  const SIZE = 'sfw.size';
  const sizeButton = document.getElementById('size');

  function setSize(size) {
    const large = size === 'large';
    document.documentElement.classList.toggle('large', large);
    sizeButton.setAttribute('aria-pressed', String(large));
    sizeButton.textContent = large ? words.smaller : words.larger;
    suifawen.store.set(SIZE, size);
    setWords(input.value);
  }

  sizeButton.addEventListener('click', () => {
    setSize(document.documentElement.classList.contains('large') ? 'normal' : 'large');
  });

  // -- the phone's keyboard, sleep and network ---------------------------------------------

  /* Where the keyboard covers the page instead of shrinking it, lift the input above it. */
  function liftComposer() {
    const view = window.visualViewport;
    const covered = window.innerHeight - view.height - view.offsetTop;
    composer.style.bottom = view.scale > 1.05 ? '' : Math.max(0, Math.round(covered)) + 'px';
  }

  if (window.visualViewport) {
    visualViewport.addEventListener('resize', liftComposer);
    visualViewport.addEventListener('scroll', liftComposer);
  }
  window.addEventListener('online', () => {
    receiver.wake();
    outbox.flush();
  });
  window.addEventListener('offline', () => onConnection('lost'));
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) receiver.wake();
  });

  // -- beginning ---------------------------------------------------------------------------

  if ('scrollRestoration' in history) history.scrollRestoration = 'manual';
  const draft = suifawen.store.get(DRAFT) || '';
  setSize(suifawen.store.get(SIZE) || 'normal');
  setWords(draft);
  log.setAttribute('aria-busy', 'true');
  outbox.waiting().forEach(addBubble);
  receiver.poke();
  outbox.flush();
}());
