/* From a message to what stands on the page. Words of people and of the server are only ever
   set as text, never as markup. */
(function () {
  'use strict';

  const words = JSON.parse(document.body.getAttribute('data-words'));
  const LONG_LIST = 3;    // a longer list shows its first lines; the rest folds
  const SHOWN_LINES = 2;

  function say(name, values) {
    return words[name].replace(/\{(\w+)\}/g, (whole, key) => values[key]);
  }

  function element(tag, className, content) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (typeof content === 'string') made.textContent = content;
    else if (content) content.forEach(child => made.appendChild(child));
    return made;
  }

  function button(className, label, onClick) {
    const made = element('button', className, label);
    made.type = 'button';
    made.addEventListener('click', onClick);
    return made;
  }

  function callLink(number, label, className) {
    const link = element('a', className, label);
    link.href = 'tel:' + number;
    return link;
  }

  /* Hotlines in a text can be tapped. Numbers of three digits (110) only where there is
     danger: elsewhere they may be a sum or an article. */
  function appendText(parent, text, danger) {
    text.split(/(\d+)/).forEach(part => {
      const dial = words.dial.indexOf(part) >= 0 && (part.length > 3 || danger);
      parent.appendChild(dial ? callLink(part, part, 'number') : document.createTextNode(part));
    });
  }

  function fold(summary, children, className) {
    return element('details', className, [element('summary', '', summary)].concat(children));
  }

  /* `onChoice(choice, label)` is called when the person taps a button. `live` is false for
     what was said before the page was opened. */
  function renderReply(reply, onChoice, live) {
    const letter = element('div', 'reply');
    const place = element('div', 'source-place');
    const open = (number, from) => openSource(reply, number, place, from);
    const has = kind => reply.blocks.some(block => block.kind === kind);
    // Steps make a long letter, and what comes after them folds; a list alone was asked for.
    const folding = has('steps');
    reply.blocks.forEach(block => {
      const shown = renderBlock(block, open, folding);
      if (block.kind === 'alarm') {
        if (live) shown.setAttribute('role', 'alert');
        // The numbers stand right under what to do now, in sight without scrolling.
        const calls = renderButtons(reply.buttons.filter(each => each.call), onChoice);
        shown.insertBefore(calls, shown.children[1] || null);
      }
      letter.appendChild(shown);
    });
    if (reply.citations.length) letter.appendChild(renderSources(reply, open));
    letter.appendChild(place);
    const rest = reply.buttons.filter(each => !(has('alarm') && each.call));
    if (rest.length) {
      const actions = fold(words.older_buttons, [renderButtons(rest, onChoice)], 'actions');
      actions.open = true;
      letter.appendChild(actions);
    }
    return letter;
  }

  function renderBlock(block, open, folding) {
    const kind = block.kind;
    const danger = kind === 'alarm';
    const line = (tag, className) => each => renderLine(tag, className, each, open, danger);
    const heading = block.heading ? [element('h3', '', block.heading)] : [];
    let children;
    if (kind === 'steps') children = [element('ol', '', block.lines.map(line('li')))];
    else if (kind === 'list') children = renderList(block.lines.map(line('li')), folding);
    else if (kind === 'quote') children = [element('blockquote', '', block.lines.map(line('p')))];
    else children = block.lines.map(line('p', kind === 'lead' ? 'lead' : ''));
    return element('section', 'block ' + kind, heading.concat(children));
  }

  function renderList(items, folding) {
    if (!folding || items.length <= LONG_LIST) return [element('ul', '', items)];
    const rest = items.slice(SHOWN_LINES);
    return [
      element('ul', '', items.slice(0, SHOWN_LINES)),
      fold(say('more_lines', { count: rest.length }), [element('ul', '', rest)], 'more')
    ];
  }

  function renderLine(tag, className, line, open, danger) {
    const made = element(tag, className);
    appendText(made, line.text, danger);
    line.marks.forEach(number => {
      const mark = button('mark', '［' + number + '］', () => open(number, mark));
      mark.setAttribute('aria-label', say('source', { number }));
      made.appendChild(mark);
    });
    return made;
  }

  function renderButtons(buttons, onChoice) {
    return element('div', 'buttons', buttons.map(each => each.call
      ? callLink(each.call, each.label, 'call')
      : button('action ' + each.style, each.label, () => onChoice(each.choice, each.label))));
  }

  function renderSources(reply, open) {
    const items = reply.citations.map(citation => {
      const title = '［' + citation.number + '］' + citation.title;
      const opener = button('source-title', title, () => open(citation.number, opener));
      return element('li', '', [opener]);
    });
    const summary = say('sources', { count: items.length });
    return fold(summary, [element('ul', '', items)], 'sources');
  }

  /* Show a source in full under the answer; `from` gets the focus back when it is closed. */
  function openSource(reply, number, place, from) {
    const citation = reply.citations.filter(each => each.number === number)[0];
    if (!citation) return;
    const body = element('div', 'source-body', [element('p', '', citation.quote)]);
    const loading = element('p', 'note', words.loading);
    const closer = button('action normal', words.close, close);
    const title = element('h3', '', '［' + number + '］' + citation.title);
    const note = element('p', 'note', citation.note);
    const panel = element('section', 'source', [title, body, loading, note, closer]);
    panel.tabIndex = -1;
    panel.setAttribute('aria-label', citation.title);
    panel.addEventListener('keydown', event => {
      if (event.key === 'Escape' || event.key === 'Esc') close();
    });

    function close() {
      place.textContent = '';
      from.focus();
    }

    function load() {
      loading.textContent = words.loading;
      suifawen.request('GET', '/chat/cite?id=' + encodeURIComponent(citation.id), null, 15,
        (status, full) => {
          loading.textContent = '';
          if (status === 200 && full) {
            note.textContent = full.note;
            body.textContent = '';
            full.paragraphs.forEach(text => body.appendChild(element('p', '', text)));
          } else if (status === 404 && full) {
            loading.textContent = full.text;
          } else {
            loading.appendChild(button('action normal', words.source_failed, load));
          }
        });
    }

    place.textContent = '';
    place.appendChild(panel);
    panel.focus();
    panel.scrollIntoView(true);
    load();
  }

  /* What a line of the bot or of a member of staff looks like. */
  function renderLetter(message, onChoice, live) {
    const staff = message.author === 'staff';
    const letter = element('article', staff ? 'letter from-staff' : 'letter');
    letter.appendChild(element('span', 'unseen', staff ? words.staff : words.bot));
    letter.appendChild(message.reply
      ? renderReply(message.reply, onChoice, live)
      : element('p', '', message.text));
    return letter;
  }

  /* What the person wrote. `show(state, reason)` tells whether it was sent. */
  function renderBubble(text, onRetry, onTakeBack) {
    const written = element('p', 'own-words', text);
    const state = element('div', 'state');
    const bubble = element('div', 'own', [element('span', 'unseen', words.you), written, state]);
    return {
      element: bubble,
      setText(stored) {
        written.textContent = stored;
      },
      show(name, reason) {
        state.textContent = '';
        bubble.classList.remove('unsent');
        if (name === 'sending') state.appendChild(element('span', '', words.sending));
        if (name !== 'unsent') return;
        bubble.classList.add('unsent');
        if (reason) state.appendChild(element('p', '', reason));
        state.appendChild(button('action normal', words.unsent, onRetry));
        if (onTakeBack) state.appendChild(button('action normal', words.take_back, onTakeBack));
      }
    };
  }

  Object.assign(suifawen, { words, say, element, renderLetter, renderBubble });
}());
