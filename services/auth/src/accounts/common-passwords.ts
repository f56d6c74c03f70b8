/** The most used passwords of eight characters and more, lower-case. */
export const commonPasswords: ReadonlySet<string> = new Set(
  `
  password password1 password12 password123 password1234 password! password1! password123!
  passw0rd passw0rd1 p@ssw0rd p@ssword p@ssword1 pa$$word pa$$w0rd mypassword changeme changeme1
  12345678 123456789 1234567890 0123456789 0987654321 987654321 87654321 11223344 12341234 12344321
  123123123 123321123 111222333 147258369 789456123 741852963 159753456 10203040 12121212 13131313
  qwertyui qwertyuiop qwerty123 qwerty1234 qwerty12 qwertyui1 1q2w3e4r 1q2w3e4r5t q1w2e3r4 q1w2e3r4t5
  1qaz2wsx 1qaz2wsx3edc zaq12wsx qazwsxedc zxcvbnm1 asdfghjk asdfghjkl asdf1234 qwer1234 abcd1234
  abc12345 abcdefgh abcdefg1 a1b2c3d4 aa123456 aa12345678 admin123 admin1234 administrator root1234
  letmein1 letmein123 welcome1 welcome123 iloveyou iloveyou1 sunshine princess football baseball
  basketball superman batman123 starwars trustno1 dragon123 monkey123 shadow123 master123 michael1
  jennifer jordan23 computer internet whatever samantha michelle corvette mercedes alexander
  football1 baseball1 liverpool chelsea1 arsenal1 pokemon1 minecraft charlie1 hunter123 secret123
  test1234 testtest test12345 guest1234 temp1234 default1 login123 access123 summer2024 winter2024
  summer2025 winter2025 summer2026 winter2026 spring2025 autumn2025 january1 february monday123
  `
    .trim()
    .split(/\s+/),
);
