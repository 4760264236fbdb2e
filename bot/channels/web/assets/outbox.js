/* What the person has written and the server has not yet acknowledged.

   Kept in the browser's storage with its key, so that a reload, a dead battery or a lost
   connection loses nothing; sent one after the other, so that the order stays. */
(function () {
  'use strict';

  const UNSENT = 'sfw.unsent';
  const memory = {};

  /* Some browsers refuse storage in private windows, or have none left; then this page has
     to remember. */
  const store = {
    get(name) {
      try {
        return name in memory ? memory[name] : localStorage.getItem(name);
      } catch (refused) {
        return null;
      }
    },
    set(name, value) {
      try {
        localStorage.setItem(name, value);
        delete memory[name];
      } catch (refused) {
        memory[name] = value;
      }
    }
  };

  function waiting() {
    try {
      const items = JSON.parse(store.get(UNSENT) || '[]');
      return Array.isArray(items) ? items : [];
    } catch (damaged) {
      return [];
    }
  }

  /* Read again before every change: another tab may have changed it. */
  function change(edit) {
    store.set(UNSENT, JSON.stringify(edit(waiting())));
  }

  function randomKey() {
    const bytes = new Uint8Array(16);
    if (window.crypto && crypto.getRandomValues) crypto.getRandomValues(bytes);
    else for (let i = 0; i < 16; i += 1) bytes[i] = Math.random() * 256;
    return Array.from(bytes, byte => ('0' + byte.toString(16)).slice(-2)).join('');
  }

  /* Send items in order until none is left. `onState(item, state, reason)` is told `sending`,
     `sent` or `unsent`. An item that the server will never take is passed over until the
     person asks for it again; one that it could not take now stops the queue for a while. */
  function Outbox(onState) {
    let busy = false;
    let timer = 0;
    let failures = 0;
    const refused = {};

    function pump() {
      clearTimeout(timer);
      const item = waiting().filter(candidate => !refused[candidate.key])[0];
      if (busy || !item) return;
      busy = true;
      onState(item, 'sending');
      const body = { key: item.key, text: item.text };
      if (item.choice) body.choice = item.choice;
      suifawen.request('POST', '/chat/send', body, 20, (status, answer) => {
        busy = false;
        if (status === 202) {
          failures = 0;
          remove(item.key);
          onState(item, 'sent');
          pump();
          return;
        }
        onState(item, 'unsent', answer && answer.text);
        if (status >= 400 && status < 500 && status !== 429) {
          refused[item.key] = true;
          pump();
        } else {
          failures += 1;
          timer = setTimeout(pump, suifawen.backOff(failures));
        }
      });
    }

    function remove(key) {
      change(items => items.filter(item => item.key !== key));
    }

    return {
      waiting,
      add(text, choice) {
        const item = { key: randomKey(), text, choice: choice || '' };
        change(items => items.concat([item]));
        return item;
      },
      remove,
      /* Try now; `key` is one the person asked for. */
      flush(key) {
        if (key) delete refused[key];
        pump();
      }
    };
  }

  Object.assign(suifawen, { store, Outbox });
}());
