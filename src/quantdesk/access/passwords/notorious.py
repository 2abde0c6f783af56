"""Words that passwords notoriously consist of: the stems that every guessing list begins with.

Compiled for this desk from what is common knowledge about chosen passwords: the word itself in
several languages, keys in a row, given names, animals, sports, seasons, love, curses, heroes,
brands, and the words of markets. With `rules` around it (digits, runs, leet, repetition) a few
hundred stems stand for millions of passwords.
"""

from typing import Final

_WORDS: Final = """
password passw0rd passwd passwort passe motdepasse contrasena contraseña clave senha parola haslo
heslo wachtwoord sifre parol pass passcode passphrase letmein welcome willkommen bienvenue login
logon signin access admin administrator administrador root sysadmin superuser superman user username
guest test tester testing testtest demo default changeme change temp temporary secret secure
security private public system server computer internet network windows linux ubuntu oracle cisco
master mainnet account manager office work company business enter entry open opensesame sesame
trustno trustnoone nobody anybody somebody whatever nothing something anything hello hallo hola
salut bonjour ciao goodbye please thanks thankyou

qwerty qwertz azerty qwert asdf asdfgh zxcv zxcvbn qazwsx wsxedc poiuy lkjhg mnbvc qweasd asdzxc
abc abcd xyz

love lover loveme iloveyou iloveu ily amor amour liebe teamo forever always together kiss kisses
hug heart sweet sweetheart sweety sweetie honey baby babygirl babyboy darling angel angels beauty
beautiful pretty princess prince queen king cutie lovely sunshine sunflower flower flowers rose
butterfly rainbow star stars moon moonlight starlight heaven hope faith peace happy happiness smile
friend friends bestfriend family mother father mommy mama papa daddy sister brother wife husband

summer winter spring autumn fall january february march april may june july august september october
november december monday tuesday wednesday thursday friday saturday sunday today tomorrow christmas
holiday birthday weekend morning night

alex alexander alexandra alice amanda amber andrea andrew angela anna anne anthony antonio ashley
austin barbara benjamin bob brandon brian britney carlos carmen caroline charles charlie charlotte
chelsea chris christian christina christine claudia cynthia daniel daniela danielle david dennis
diana diego donald dorothy edward elena elizabeth emily emma eric ethan eva fernando francesca
francisco frank gabriel george gloria hannah harry heather helen henry isabella jack jackson jacob
james jan jane jasmine jason jennifer jenny jeremy jessica jessie joe john johnny jonathan jordan
jorge jose joseph joshua juan julia julian justin karen kate katie kevin kimberly laura lauren leon
leonardo linda lisa louise lucas lucy luis luke madison manuel marco maria marie mario mark marta
martin mary matthew max megan melissa michael michel michelle mike miguel mohamed mohammed monica
nancy natalie natasha nathan nicholas nick nicole nikita oliver olivia oscar pablo pamela patricia
patrick paul pedro peter philip rachel ralph raymond rebecca ricardo richard robert roberto robin
roger ronald ronaldo rosa ruth ryan sabrina sally sam samantha samuel sandra sara sarah scott
sebastian sergey simon sofia sophia sophie stefan stephanie stephen steve steven susan sven svetlana
taylor teresa thomas tim tina tom tommy tyler valentina vanessa veronica victor victoria vincent
virginia vladimir walter wendy william zoe smith miller johnson williams brown jones garcia

animal bear bird bulldog buster butter cat cheese chicken chocolate coffee cookie cookies cowboy
crystal daisy diamond dog doggy dolphin dragon dragons eagle eagles elephant falcon fish fluffy fox
ginger hammer horses hunter jaguar jellybean kitten kitty lion lucky maggie monkey mouse muffin
mustang orange panda panther peaches peanut pepper pickle puppy purple rabbit raiders rocky scorpion
shadow shark silver snoopy spider tiger tigers tigger turtle unicorn wolf wolves apple banana cherry
lemon strawberry black blue green red white yellow pink golden gold

football baseball basketball soccer hockey tennis golf cricket rugby volleyball swimming running
liverpool arsenal chelsea manchester barcelona realmadrid juventus milan bayern dortmund united
rangers celtic yankees lakers cowboys steelers packers dodgers giants champion winner player gamer
playstation xbox nintendo pokemon pikachu minecraft roblox fortnite warcraft counterstrike zelda
mario sonic batman spiderman ironman avengers marvel starwars startrek skywalker yoda vader jedi
gandalf frodo hobbit merlin matrix neo morpheus phoenix ninja samurai pirate wizard magic magician
harley ferrari porsche mercedes bmw audi toyota honda yamaha suzuki kawasaki corvette camaro jordan
nike adidas google facebook instagram twitter youtube amazon microsoft apple iphone samsung nokia
android metallica nirvana slipknot eminem beatles elvis blink guitar music dancer dance rocknroll

fuck fucker fuckyou fuckme fuckoff shit bitch asshole dick cock pussy sexy sex porn slut bastard
damn devil satan lucifer killer death dead hell demon evil blood zombie

america american england london paris berlin madrid roma italia france germany deutschland espana
canada australia brasil mexico russia china india japan tokyo istanbul newyork california texas
florida chicago boston jesus christ jesuschrist god godisgood bible blessed church allah buddha
freedom liberty justice victory power thunder storm lightning fire ice water ocean river mountain
forest earth world universe galaxy space rocket

money cash dollar dollars euro euros rich richman million millionaire billion billionaire bank
banker wallet crypto coin coins hodl lambo tothemoon moon bull bullish bear whale satoshi nakamoto
vitalik binance coinbase metamask phantom ledger trezor blockchain bitcoin ethereum solana dogecoin
doge shiba invest investor market markets stock stocks broker hedge profit profits order orders
correcthorsebatterystaple correct horse battery staple
"""

NOTORIOUS: Final = frozenset(_WORDS.split())
